package yamlmarks

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, node := range []string{"a,", "{},", "[],", "?,", "\n", "- ", "a: ", "#\n", "a: b\n", `"a":0,`} {
		if err := Check([]byte(strings.Repeat(node, Most+1)), Most); err == nil || !strings.Contains(err.Error(), "places where one may begin") {
			t.Errorf("%q over and over: got %v", node, err)
		}
		if err := Check([]byte(strings.Repeat(node, Most/3)), Most); err != nil {
			t.Errorf("%q a third as often: %v", node, err)
		}
	}
	if err := Check([]byte(strings.Repeat("one long text", 1<<20)), 1); err != nil {
		t.Error(err)
	}
}
