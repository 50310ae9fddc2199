// Package sizing answers what an island needs before anyone buys it: how many
// machines of what size, standing on which servers, with what network.
//
// Three things go in, all of them data: a hardware [Table] that names the
// source of each of its numbers, a [site.Site] that says what the customer wants,
// and, where a release is known, its [Footprint]. [Calculate] is a pure
// function of the three. What comes out is a [Report] in which each number
// carries its formula and its source, and each text is a message in no language;
// package present puts it into one, as text, JSON or one HTML page.
//
// A number that no public source gives is never made up. The report then says
// to ask Wire, and what to ask.
//
// docs/sizing.md explains every rule, so that it can be checked by hand.
package sizing
