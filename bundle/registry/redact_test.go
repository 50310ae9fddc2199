package registry

import "testing"

func TestRedact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://u:p@h/x?sig=1#f":                            "https://h/x",
		`Get "https://u:p@h/x?sig=1": refused`:               `Get "https://h/x": refused`,
		"oci://h/x and http://a@b?x=y, file:///srv/x":        "oci://h/x and http://b file:///srv/x",
		"nothing to hide: a?b":                               "nothing to hide: a?b",
		"https://h/x?next=https://u:secret@other/y?token=zz": "https://h/x",
	} {
		if got := Redact(text); got != want {
			t.Errorf("%q becomes %q, wanted %q", text, got, want)
		}
	}
}
