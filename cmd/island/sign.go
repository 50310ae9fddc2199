package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/manifests"
)

func (a *app) sign() *cobra.Command {
	var f signingFlags
	cmd := &cobra.Command{
		Use:   "sign DOCUMENT",
		Short: "Sign a release, overlay or patch document",
		Long: `Sign a document, and write the signature beside it as DOCUMENT.sigstore.json, in
Sigstore's bundle format: "cosign verify-blob --bundle" reads it. A policy can
demand such signatures (docs/patches.md): then a document that is not signed, or
by another key, is never resolved. Bundles are signed by island build.` + exitStatus(),
		Example: `  island sign WIRE-2026-001.yaml --key island.key
  island resolve -f release.yaml -p WIRE-2026-001.yaml --require-signed --doc-key island.pub`,
		Args: oneArg("a document"),
		RunE: func(cmd *cobra.Command, args []string) error {
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
	f.add(cmd)
	return cmd
}

type signResult struct {
	Document  string           `json:"document"`
	Signature string           `json:"signature"`
	Digest    manifests.Digest `json:"digest"`
	KeyID     string           `json:"keyID"`
}

func (r signResult) text(w io.Writer) {
	fmt.Fprintf(w, "document   %s  (%s)\nsignature  %s\nsigned     by key %s\n", r.Document, r.Digest, r.Signature, r.KeyID)
}

func (a *app) runSign(name string, signer namedSigner) error {
	data, err := readDocument(name, manifests.MaxDocumentBytes, aRelease, anOverlay, aPatch)
	if err != nil {
		return err
	}
	out, err := signBeside(name, data, signer)
	if err != nil {
		return err
	}
	return a.print(signResult{Document: name, Signature: out, Digest: manifests.DigestOf(data), KeyID: signer.ID})
}
