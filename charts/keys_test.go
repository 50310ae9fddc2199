package charts

import "testing"

func TestReplaceKeyMakers(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{`{{ $ca := genCA "x" 365 }}`, `{{ $ca := ` + noCertificate + ` "x" 365 }}`},
		{`{{ (genSignedCert "x" nil nil 365 $ca).Cert }}`, `{{ (` + noCertificate + ` "x" nil nil 365 $ca).Cert }}`},
		{`{{ genPrivateKey "rsa" | b64enc }}`, `{{ ` + noKey + ` "rsa" | b64enc }}`},
		{`genCA {{ "genCA" }} {{ .genCA }} {{ $genCA }} {{ include "my.genCA" . }}`,
			`genCA {{ "genCA" }} {{ .genCA }} {{ $genCA }} {{ include "my.genCA" . }}`},
		{"{{ printf `genCA }}` }}{{ myGenCA }}{{ genCAs }}", "{{ printf `genCA }}` }}{{ myGenCA }}{{ genCAs }}"},
		{"{{ genCA", "{{ genCA"},
	}
	for _, test := range tests {
		if got := replaceWords(test.text, withoutKey); got != test.want {
			t.Errorf("%s: got %s, want %s", test.text, got, test.want)
		}
	}
}

// TestDiscoverWithoutKeys holds that charts which make certificates render to
// the same images without.
func TestDiscoverWithoutKeys(t *testing.T) {
	t.Parallel()
	chart := mustLoad(t, map[string]string{"templates/x.yaml": `
{{- $ca := genCA "ca" 3650 }}
{{- $cert := genSignedCert "app" (list) (list "app.example.com") 3650 $ca }}
{{- $self := genSelfSignedCert "app" nil nil 10 }}
apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {sum: {{ $cert.Cert | sha256sum }}}}
spec:
  containers:
    - name: c
      image: "x:1"
      env:
        - {name: K, value: {{ genPrivateKey "rsa" | b64enc | quote }}}
        - {name: C, value: {{ printf "%s%s" $self.Key $ca.Cert | b64enc }}}
`})
	discovery, err := chart.Discover(t.Context(), DiscoverOptions{})
	if err != nil || len(discovery.Images) != 1 || discovery.Images[0].Image != "x:1" {
		t.Errorf("got %+v, %v", discovery, err)
	}
}
