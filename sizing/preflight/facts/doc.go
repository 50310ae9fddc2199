// Package facts says what is known about a host, and how it is known.
//
// A [Facts] document holds what the probe read on one host: every value with
// the method it was got by and the source it was read from, or with the reason
// why it could not be read. A document says nothing about whether a value is
// good enough: judging is another package's work, may happen elsewhere, later,
// and again.
//
// A [Survey] holds what one run learned of a whole site: for each host how it
// was reached and its facts, which host could speak to which on what port, and
// what the admin host saw of the site's services.
//
// Documents come from hosts that may be broken or hostile. [Read] and
// [ReadSurvey] bound what they take in by the named limits of this package,
// refuse unknown fields, and take control characters out of every text, so
// that nothing in a document can steer a terminal, a path or a page.
package facts
