package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) sign() *cobra.Command {
	var f signingFlags
	var check bool
	var docKeys []string
	cmd := &cobra.Command{
		Use:   "sign DOCUMENT",
		Short: "Sign a release, overlay or patch document",
		Long: `Sign a document, and write the signature beside it as DOCUMENT.sigstore.json, in
Sigstore's bundle format: "cosign verify-blob --bundle" reads it. A policy can
demand such signatures (docs/patches.md): then a document that is not signed, or
by another key, is never resolved. Bundles are signed by island build.

Where the document names local files (values, secrets, charts, folders, keys),
what they are now is written into DOCUMENT.binds.json, and that is signed in the
same way. Whoever demands the signature refuses these files if they are others
since. A file with secrets gets a salt beside it, FILE.salt: keep it where the
file is; without it nobody can try out by the digest what the secrets may be.

--check signs nothing and says whether all is as it was signed.` + exitStatus(
			"3  --check: the document or a file that it names is not as it was signed"),
		Example: `  island sign WIRE-2026-001.yaml --key island.key
  island sign release.yaml --check --doc-key island.pub
  island resolve -f release.yaml -p WIRE-2026-001.yaml --require-signed --doc-key island.pub`,
		Args: oneArg("a document"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if check {
				return a.runSignCheck(args[0], docKeys)
			}
			if f.key == "" {
				return usage("make one with island keygen", "no --key to sign with")
			}
			signer, err := f.signer(cmd.Context())
			if err != nil {
				return err
			}
			return a.runSign(args[0], signer)
		},
	}
	inGroup(cmd, ofSigning, f.addFlags)
	cmd.Flags().BoolVar(&check, "check", false, "check a document that is signed, with --doc-key")
	cmd.Flags().StringArrayVar(&docKeys, "doc-key", nil, "with --check: public key of who may have signed it (repeatable)")
	a.idle(cmd,
		idleWithout([]string{"doc-key"}, "leave it out, or say --check: a document is signed with --key", "check"),
		idleWith([]string{"key", "passphrase-file"}, "check", "name the public key with --doc-key: nothing is signed"),
	)
	return cmd
}

type signResult struct {
	Document  string           `json:"document"`
	Signature string           `json:"signature"`
	Digest    manifests.Digest `json:"digest"`
	KeyID     string           `json:"keyID"`
	Bindings  string           `json:"bindings,omitempty"` // file that says what is bound
	Bound     []boundFile      `json:"bound,omitempty"`    // local files that the document names
}

// boundFile is a local file or folder whose content is signed with a document.
type boundFile struct {
	Path   string           `json:"path"`             // as the document names it
	Digest manifests.Digest `json:"digest,omitempty"` // of a file without secrets
	Salted bool             `json:"salted,omitempty"` // it holds secrets, and its digest says nothing without its salt
	Files  int              `json:"files,omitempty"`  // of a folder
}

func boundFiles(bindings *manifests.Bindings) []boundFile {
	if bindings == nil {
		return nil
	}
	var files []boundFile
	for _, one := range bindings.Bound {
		files = append(files, boundFile{Path: one.Path, Digest: one.Digest, Salted: one.Salted != "", Files: len(one.Files)})
	}
	return files
}

func (b boundFile) String() string {
	switch {
	case b.Salted:
		return b.Path + "  (secrets: by " + b.Path + resolve.SaltSuffix + ")"
	case b.Digest != "":
		return fmt.Sprintf("%s  (%s)", b.Path, b.Digest)
	}
	return fmt.Sprintf("%s  (folder of %s)", b.Path, fault.Counted(b.Files, "file", "files"))
}

func (r signResult) text(w *printable.Printer) {
	w.Printf("document   %s  (%s)\nsignature  %s\nsigned     by key %s\n", r.Document, r.Digest, r.Signature, r.KeyID)
	for _, file := range r.Bound {
		w.Printf("bound      %s\n", file)
	}
}

func (a *app) runSign(name string, signer namedSigner) error {
	data, document, err := readSignable(name)
	if err != nil {
		return err
	}
	if patch, ok := document.(*manifests.Patch); ok {
		if err := patch.Drafts(); err != nil {
			return err
		}
	}
	bindings, err := resolve.Bind(name, data, document.LocalPaths())
	if err != nil {
		return err
	}
	result := signResult{Document: name, Digest: manifests.DigestOf(data), KeyID: signer.ID, Bound: boundFiles(bindings)}
	if bindings != nil {
		encoded, err := manifests.EncodeJSON(bindings)
		if err != nil {
			return err
		}
		result.Bindings = name + resolve.BindingsSuffix
		if err := writeWhole(result.Bindings, encoded, 0o644); err != nil {
			return err
		}
		if _, err := signBeside(result.Bindings, encoded, signer); err != nil {
			return err
		}
	}
	if result.Signature, err = signBeside(name, data, signer); err != nil {
		return err
	}
	return a.print(result)
}

func readSignable(name string) ([]byte, manifests.Signable, error) {
	data, err := readDocument(name, manifests.MaxDocumentBytes, aRelease, anOverlay, aPatch)
	if err != nil {
		return nil, nil, err
	}
	document, err := manifests.ReadSignable(name, data)
	return data, document, err
}

func (a *app) runSignCheck(name string, docKeys []string) error {
	if len(docKeys) == 0 {
		return usage("island sign "+name+" --check --doc-key island.pub", "no --doc-key to check with")
	}
	trust, err := (&trustFlags{keys: docKeys}).trust()
	if err != nil {
		return err
	}
	data, document, err := readSignable(name)
	if err != nil {
		return err
	}
	key, bindings, err := resolve.CheckSigned(name, data, document.LocalPaths(), trust.Keys)
	if err != nil {
		return err
	}
	result := signResult{
		Document: name, Signature: name + resolve.SignatureSuffix, Digest: manifests.DigestOf(data), KeyID: key, Bound: boundFiles(bindings),
	}
	if bindings != nil {
		result.Bindings = name + resolve.BindingsSuffix
	}
	return a.print(result)
}
