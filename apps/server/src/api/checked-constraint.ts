import { checkConstraint, ConstraintError, type Constraint } from "@levin/model";
import { ApiError } from "./api-error.ts";

/** @throws ApiError (400) of the parameter that the constraint comes from */
export function checked(constraint: Constraint, param: string): Constraint {
  try {
    checkConstraint(constraint);
    return constraint;
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    throw new ApiError(400, `${param}: ${error.message}`, { param, code: "invalid_schema" });
  }
}
