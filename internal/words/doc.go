// Package words puts messages into a language.
//
// There is one catalogue for each language, a YAML file in this folder named by
// its BCP 47 tag: en.yaml, de.yaml. A further language is one more file, and
// nothing else: what it needs of numbers and plurals comes from its tag (Unicode
// CLDR), the rest stands in the file. Tests hold that every catalogue has every
// message of en.yaml, with the same gaps.
//
// # How a catalogue reads
//
//	name: Deutsch
//	words:
//	  disk:
//	    small: "{free:GB} frei, {required:GB} verlangt"
//	    full:
//	      count: disks
//	      one: "{disks} Festplatte ist voll"
//	      other: "{disks} Festplatten sind voll"
//
// The codes are disk.small and disk.full. A gap is the name of an argument in
// braces, and after a colon how it is written:
//
//	{x}          text as it is; a number with up to three decimals and no
//	             thousands apart, as ports, years and measurements are copied
//	{x:int}      a whole number, its thousands apart
//	{x:dec1}     with at most one decimal; dec2, dec3 likewise
//	{x:fix1}     with just one decimal, as measurements are written: 2.0, -0.5;
//	             fix2 and fix3 likewise
//	{x:plus1}    the same with its sign: +2.0
//	{x:percent}  a whole percentage
//	{x:GB}       bytes in units of 10⁹ or what suits: kB, MB, TB
//	{x:GiB}      bytes in units of 2³⁰ or what suits
//	{x:rate}     kilobits per second in the unit that suits
//	{x:and}      a list as the language has it: "a, b and c"; without a format,
//	             lists are joined by commas
//	{x:semicolons}
//	             a list whose members may have commas of their own: "a; b, c"
//
// A message that counts more than one thing has the words for each count in a gap
// of their own, by the forms of the plural: {x|one core|other cores}.
//
// A brace that is meant stands twice: {{ and }}.
package words
