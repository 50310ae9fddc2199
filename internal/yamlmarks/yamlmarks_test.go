package yamlmarks

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, node := range []string{
		"a,", "{},", "[],", "?,", "\n", "- ", "a: ", "#\n", "a: b\n", `"a":0,`, "-\r", "-\r\n", "-\u0085", "-\u2028", "-\u2029",
	} {
		if err := Check([]byte(strings.Repeat(node, Most+1)), Most); err == nil || !strings.Contains(err.Error(), "places where one may begin") {
			t.Errorf("%q over and over: got %v", node, err)
		}
		if err := Check([]byte(strings.Repeat(node, Most/3)), Most); err != nil {
			t.Errorf("%q a third as often: %v", node, err)
		}
	}
	for _, lineBreak := range []string{"\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029"} {
		if marks := Count([]byte(strings.Repeat("a"+lineBreak, 7))); marks != 7 {
			t.Errorf("seven lines that end in %q have %d marks", lineBreak, marks)
		}
	}
	for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
		text, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String("- - - a: b\r\n- c\u2028")
		if marks := Count([]byte(text)); marks != 7 || err != nil {
			t.Errorf("UTF-16 has %d marks, want 7 (%v)", marks, err)
		}
	}
	if err := Check([]byte(strings.Repeat("one long text", 1<<20)), 1); err != nil {
		t.Error(err)
	}
}
