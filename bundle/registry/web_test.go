package registry

import "testing"

func TestPlainHTTPGetsNoCredentials(t *testing.T) {
	t.Parallel()
	client := newClient(t, Options{})
	for _, test := range []struct {
		resource Resource
		sent     bool
	}{
		{Resource{URL: "http://files.example.com/x"}, false},
		{Resource{URL: "http://files.example.com/x", Security: Security{PlainHTTP: true}}, true},
		{Resource{URL: "http://127.0.0.1:8080/x"}, true},
		{Resource{URL: "https://files.example.com/x"}, true},
	} {
		session, err := client.WebSession(t.Context(), test.resource)
		if err != nil {
			t.Fatal(err)
		}
		if _, sent := session.client.Transport.(*bound); sent != test.sent {
			t.Errorf("%+v: credentials are sent: %t, wanted %t", test.resource, sent, test.sent)
		}
	}
}
