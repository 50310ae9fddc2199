package signature

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// MaxSize is the most bytes that a signature file may have to be read at all.
const MaxSize = 64 << 10

// Limits on what is read. All of it comes from outside.
const (
	maxDepth     = 16  // nesting; log entries of real bundles need 6
	maxHint      = 256 // bytes; cosign's are 44
	maxSignature = 72  // bytes; the longest DER form for P-256
)

// jsonSpace is the white space that JSON allows (RFC 8259 section 2).
const jsonSpace = " \t\r\n"

// legacyMediaType is the older spelling of [MediaType].
const legacyMediaType = "application/vnd.dev.sigstore.bundle+json;version=0.3"

// content is what a signature file says. Nothing of it is trusted.
type content struct {
	hint   string            // names a key, "" if it does not
	digest [sha256.Size]byte // SHA-256 of what was signed
	der    []byte            // the signature, 1 to maxSignature bytes
}

// read takes a signature file apart. Protobuf's JSON mapping leaves a reader
// much freedom (either spelling of a name, numbers for enums, two alphabets
// for base64); none of it is used here, so that two programs which both accept
// a file cannot understand it differently. Object names the file in errors.
func read(object string, data []byte) (content, error) {
	if len(bytes.Trim(data, jsonSpace)) == 0 {
		return content{}, refused(object, "ask the sender for a signed bundle", "%w: the signature file is blank", ErrUnsigned)
	}
	found, err := parse(data)
	if err != nil {
		return content{}, refused(object,
			"get the bundle again from its sender, signed with `island build --key` or `cosign sign-blob --key`",
			"%w: %w", ErrMalformed, err)
	}
	return found, nil
}

func parse(data []byte) (content, error) {
	root, err := parseJSON(data)
	if err != nil {
		return content{}, err
	}
	if err := root.only("mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"); err != nil {
		return content{}, err
	}
	if root.has("dsseEnvelope") {
		return content{}, errors.New("dsseEnvelope: an attestation, need a messageSignature")
	}
	mediaType, err := root.text("mediaType")
	if err != nil {
		return content{}, err
	}
	if mediaType != MediaType && mediaType != legacyMediaType {
		return content{}, fmt.Errorf("mediaType: %.100q, need %q", mediaType, MediaType)
	}
	var found content
	if found.hint, err = parseVerificationMaterial(root); err != nil {
		return content{}, err
	}
	if err := parseMessageSignature(root, &found); err != nil {
		return content{}, err
	}
	return found, nil
}

// parseVerificationMaterial returns the hint at the key.
func parseVerificationMaterial(root object) (string, error) {
	material, err := root.object("verificationMaterial")
	if err != nil {
		return "", err
	}
	// tlogEntries and timestampVerificationData are well-formed JSON and
	// within the limits by now; more is not asked of what is not used.
	if err := material.only("publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData"); err != nil {
		return "", err
	}
	for _, name := range []string{"certificate", "x509CertificateChain"} {
		if material.has(name) {
			return "", fmt.Errorf("%s: signed with a certificate, need a signature by a key", material.path(name))
		}
	}
	key, err := material.object("publicKey")
	if err != nil {
		return "", err
	}
	if err := key.only("hint"); err != nil {
		return "", err
	}
	if !key.has("hint") {
		return "", nil // optional in sigstore_common.proto
	}
	hint, err := key.text("hint")
	if err != nil {
		return "", err
	}
	if len(hint) > maxHint {
		return "", fmt.Errorf("%s: more than %d bytes", key.path("hint"), maxHint)
	}
	return hint, nil
}

// parseMessageSignature fills in digest and signature.
func parseMessageSignature(root object, found *content) error {
	message, err := root.object("messageSignature")
	if err != nil {
		return err
	}
	if err := message.only("messageDigest", "signature"); err != nil {
		return err
	}
	sum, err := message.object("messageDigest")
	if err != nil {
		return err
	}
	if err := sum.only("algorithm", "digest"); err != nil {
		return err
	}
	algorithm, err := sum.text("algorithm")
	if err != nil {
		return err
	}
	if algorithm != digestAlgorithm {
		return fmt.Errorf("%s: %.64q, need %q", sum.path("algorithm"), algorithm, digestAlgorithm)
	}
	digest, err := sum.bytes("digest")
	if err != nil {
		return err
	}
	if len(digest) != sha256.Size {
		return fmt.Errorf("%s: %d bytes, need %d", sum.path("digest"), len(digest), sha256.Size)
	}
	found.digest = [sha256.Size]byte(digest)
	if found.der, err = message.bytes("signature"); err != nil {
		return err
	}
	if len(found.der) == 0 || len(found.der) > maxSignature {
		return fmt.Errorf("%s: %d bytes, need 1 to %d", message.path("signature"), len(found.der), maxSignature)
	}
	return nil
}

// object is a JSON object and where it stands in the document.
type object struct {
	at      string // path of the object, "" for the document
	members map[string]any
}

func (o object) path(name string) string {
	if o.at == "" {
		return name
	}
	return o.at + "." + name
}

func (o object) has(name string) bool {
	_, ok := o.members[name]
	return ok
}

// only refuses members that are not among the names known.
func (o object) only(known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s: unknown field", o.path(fmt.Sprintf("%.64q", name)))
		}
	}
	return nil
}

func (o object) object(name string) (object, error) {
	members, ok := o.members[name].(map[string]any)
	if !ok {
		return object{}, o.wrongType(name, "an object")
	}
	return object{at: o.path(name), members: members}, nil
}

func (o object) text(name string) (string, error) {
	s, ok := o.members[name].(string)
	if !ok {
		return "", o.wrongType(name, "a string")
	}
	return s, nil
}

func (o object) bytes(name string) ([]byte, error) {
	s, err := o.text(name)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	// The decoder passes over line breaks and stray bits; encoding again shows
	// them.
	if err != nil || base64.StdEncoding.EncodeToString(raw) != s {
		return nil, fmt.Errorf("%s: not standard base64 (RFC 4648 section 4)", o.path(name))
	}
	return raw, nil
}

func (o object) wrongType(name, need string) error {
	if !o.has(name) {
		return fmt.Errorf("%s: missing", o.path(name))
	}
	return fmt.Errorf("%s: not %s", o.path(name), need)
}

// parseJSON reads one JSON object with nothing but white space around it. It
// is stricter than encoding/json in what that lets pass: a name given twice,
// text that is no UTF-8, and deep nesting.
func parseJSON(data []byte) (object, error) {
	if len(data) > MaxSize {
		return object{}, fmt.Errorf("more than %d bytes", MaxSize)
	}
	if !utf8.Valid(data) {
		return object{}, errors.New("not UTF-8")
	}
	// Checks the grammar to the very end, so the walk below need not.
	if !json.Valid(data) {
		return object{}, errors.New("not JSON, cut short, or followed by other data")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return object{}, err
	}
	members, ok := value.(map[string]any)
	if !ok {
		return object{}, errors.New("not a JSON object")
	}
	return object{members: members}, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	switch token {
	case json.Delim('{'):
		return parseMembers(decoder, depth)
	case json.Delim('['):
		return parseElements(decoder, depth)
	default:
		return token, nil
	}
}

func parseMembers(decoder *json.Decoder, depth int) (map[string]any, error) {
	members := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("not JSON: a name that is no string")
		}
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("field %.64q is given twice", name)
		}
		if members[name], err = parseValue(decoder, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token() // the closing brace
	return members, err
}

func parseElements(decoder *json.Decoder, depth int) ([]any, error) {
	var elements []any
	for decoder.More() {
		element, err := parseValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	_, err := decoder.Token() // the closing bracket
	return elements, err
}
