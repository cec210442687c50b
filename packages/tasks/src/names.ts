/** A hundred short first names, those of recall and word problems. */
export const NAMES: readonly string[] = (
  "Ada Alan Alex Alice Amy Andy Anna Arlo Ben Beth Bill Bob Carl Cara Chris Clara Cora Dan Dave " +
  "Dora Ed Ella Emma Eric Erin Eva Finn Fred Gina Grace Greg Hal Hana Harry Helen Hugo Ian Ida " +
  "Ivy Jack Jane Jim Joan Joe John Judy Kate Ken Kim Kurt Lara Lea Leo Lily Lisa Lucy Luke Lynn " +
  "Mark Mary Max Mia Mike Mona Nina Noah Nora Olga Olive Oscar Otto Pam Paul Pete Pia Quinn Rita " +
  "Rob Rosa Ruth Ryan Sam Sara Sean Sue Ted Theo Tim Tina Tom Uma Vera Vic Walt Wendy Will Yara " +
  "Zack Zoe"
).split(" ");
