// Package page is what every page shares: a frame with its style sheet, and
// pictures as inline SVG. Its words are those of package words.
//
// A page is one HTML file. It opens without a network, has no script and no
// outside link, and says so in a Content-Security-Policy that allows nothing
// but its own style sheet, by hash. It follows the reader's light or dark
// setting, and prints on A4.
//
// A report builds its body with html/template or with [HTML], and hands it to
// [Page.Render]. Classes that the style sheet knows: lead, meta, grid, card,
// figure-big, num, badge (ok, note, warn, fail, ask), how (a details element
// that explains something, and lies open on paper), tick (a box to tick off on
// paper), stack (a table whose rows become blocks where there is no room for its
// columns; its cells say theirs in data-label), footnotes; and of the preflight's report: verdict,
// counts, role, hosts, host, task, steps, matrix.
package page
