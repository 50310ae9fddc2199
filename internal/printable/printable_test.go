package printable

import "testing"

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, line, text string }{
		{"Müller & Söhne <b>", "Müller & Söhne <b>", "Müller & Söhne <b>"},
		{"a\nb\tc\r", "a b c ", "a\nb\tc�"},
		{"\x1b[2J\x00\x7f\u0085", "�[2J���", "�[2J���"},
		{"x\u202ey\u2066z\u200e", "x�y�z�", "x�y�z�"},
		{"5\u00a0GB\u202f1", "5�GB�1", "5\u00a0GB\u202f1"},
		{"\xff", "�", "�"},
	} {
		if got := Line(test.in); got != test.line {
			t.Errorf("line of %q is %q, want %q", test.in, got, test.line)
		}
		if got := Text(test.in); got != test.text {
			t.Errorf("text of %q is %q, want %q", test.in, got, test.text)
		}
	}
}
