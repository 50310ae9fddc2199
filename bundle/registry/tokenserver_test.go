package registry

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/islandbundle/island/bundle/registry/registrytest"
)

// tokenServer gives the user me every token that is asked for, signed as
// distribution's registry wants it (its documentation, "Token Authentication
// Implementation").
type tokenServer struct {
	key    *ecdsa.PrivateKey
	cert   []byte // DER
	tokens atomic.Int32
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "token server"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tokenServer{key: key, cert: cert}
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.tokens.Add(1)
	if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	type grant struct {
		Type    string   `json:"type"`
		Name    string   `json:"name"`
		Actions []string `json:"actions"`
	}
	var grants []grant
	for _, scope := range r.URL.Query()["scope"] {
		for one := range strings.FieldsSeq(scope) {
			parts := strings.Split(one, ":")
			grants = append(grants, grant{parts[0], parts[1], strings.Split(parts[2], ",")})
		}
	}
	token, err := s.sign(map[string]any{
		"iss": "issuer", "sub": "me", "aud": r.URL.Query().Get("service"), "jti": fmt.Sprint(s.tokens.Load()),
		"nbf": time.Now().Add(-time.Minute).Unix(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"access": grants,
	})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
}

// sign makes a JSON Web Token (RFC 7519) by ES256 (RFC 7518, 3.4).
func (s *tokenServer) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.cert)}})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	hash := sha256.Sum256([]byte(signed))
	a, b, err := ecdsa.Sign(rand.Reader, s.key, hash[:])
	if err != nil {
		return "", err
	}
	signature := append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// startRegistry starts a registry that asks for tokens of a server, and returns
// its host and port.
func startRegistry(t *testing.T, tokens *tokenServer) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tokens.cert})
	if err := os.WriteFile(file, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(serve(t, tokens))
	return registrytest.Debian(t, fmt.Sprintf(
		"auth: {token: {realm: 'http://localhost:%s/token', service: test, issuer: issuer, rootcertbundle: '%s'}}\n", port, file))
}

// send makes a request of a session that has a body or another method.
func send(ctx context.Context, session *Session, method, url string, body []byte) (int, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	response, err := session.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header, err
}

// TestPushWithTokens holds that a session's one token is enough for what its
// access says, at a registry that checks each token by itself.
func TestPushWithTokens(t *testing.T) {
	t.Parallel()
	tokens := newTokenServer(t)
	host := startRegistry(t, tokens)
	blob := []byte("a blob")
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(blob))
	upload := func(s *Session) string { return s.base + "/blobs/uploads/" }
	mount := func(s *Session) string { return upload(s) + "?mount=" + digest + "&from=wire/base" }
	session := func(t *testing.T, name string, access Access) *Session {
		t.Helper()
		s, err := newClient(t, Options{}).Session(t.Context(), Repository{Registry: host, Name: name}, access)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}

	base := session(t, "wire/base", Access{Push: true})
	status, header, err := send(t.Context(), base, http.MethodPost, upload(base), nil)
	if err != nil || status != http.StatusAccepted {
		t.Fatalf("begin of an upload: status %d, error %v", status, err)
	}
	end := header.Get("Location") + "&digest=" + digest
	if status, _, err = send(t.Context(), base, http.MethodPut, end, blob); err != nil || status != http.StatusCreated {
		t.Fatalf("upload: status %d, error %v", status, err)
	}
	if n := tokens.tokens.Load(); n != 1 {
		t.Errorf("an upload took %d tokens, wanted 1", n)
	}
	for name, test := range map[string]struct {
		access Access
		tokens int32
	}{
		"with the other repository": {Access{Push: true, MountFrom: []string{"wire/base"}}, 1},
		"without it":                {Access{Push: true}, 2}, // the registry says what is missing
		"to fetch alone":            {Access{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			before := tokens.tokens.Load()
			s := session(t, "wire/brig", test.access)
			status, _, err := send(t.Context(), s, http.MethodPost, mount(s), nil)
			if err != nil || status != http.StatusCreated {
				t.Errorf("mounting: status %d, error %v", status, err)
			}
			if n := tokens.tokens.Load() - before; n != test.tokens {
				t.Errorf("mounting took %d tokens, wanted %d", n, test.tokens)
			}
		})
	}
	fetch := session(t, "wire/brig", Access{})
	if data, _, err := fetch.Read(t.Context(), "/blobs/"+digest, nil, 100); err != nil || !bytes.Equal(data, blob) {
		t.Errorf("what was mounted is %q, error %v", data, err)
	}
}
