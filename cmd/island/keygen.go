package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) keygen() *cobra.Command {
	var prefix, passphraseFile string
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key pair for signing bundles",
		Long: `Make an ECDSA P-256 key pair: NAME.key, encrypted, to sign with, and NAME.pub to
give to whoever installs. Both are in cosign's own format.

The passphrase is taken from --passphrase-file, from COSIGN_PASSWORD, or asked
for on the terminal. Existing files are never overwritten.` + exitStatus(),
		Example: `  island keygen --key-name vendor
  COSIGN_PASSWORD= island keygen --key-name test     # no passphrase, for tests`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runKeygen(cmd.Context(), prefix, passphraseFile)
		},
	}
	cmd.Flags().StringVar(&prefix, "key-name", "island", "files to write: NAME.key and NAME.pub")
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "file that holds the passphrase")
	return cmd
}

type keygenResult struct {
	PrivateKey string `json:"privateKey"`
	PublicKey  string `json:"publicKey"`
	KeyID      string `json:"keyID"`
}

func (r keygenResult) text(w *printable.Printer) {
	w.Printf("private key  %s  (keep it, and its passphrase, away from bundles)\n", r.PrivateKey)
	w.Printf("public key   %s  (give it to the site on another way than the bundle)\n", r.PublicKey)
	w.Printf("key id       %s\n", r.KeyID)
}

func (a *app) runKeygen(ctx context.Context, prefix, passphraseFile string) error {
	if strings.HasSuffix(prefix, "/") {
		return usage("such as --key-name "+prefix+"island", "--key-name is a folder, and names no file in it")
	}
	result := keygenResult{PrivateKey: prefix + ".key", PublicKey: prefix + ".pub"}
	for _, name := range []string{result.PrivateKey, result.PublicKey} {
		if _, err := os.Lstat(name); err == nil {
			return fault.New(fault.Usage, fault.Here, name,
				"choose another --key-name; a key that is lost cannot be made again", "file exists already")
		}
	}
	passphrase, err := keyfile.Passphrase{File: passphraseFile}.New(ctx)
	if err != nil {
		return err
	}
	pair, err := keyfile.GenerateKey(passphrase)
	clear(passphrase)
	if err != nil {
		return err
	}
	public, err := signature.ParsePublicKey(result.PublicKey, pair.PublicPEM)
	if err != nil {
		return err
	}
	result.KeyID = public.ID()
	if err := writeNew(result.PrivateKey, pair.PrivatePEM, 0o600); err != nil {
		return err
	}
	if err := writeNew(result.PublicKey, pair.PublicPEM, 0o644); err != nil {
		return errors.Join(err, os.Remove(result.PrivateKey)) // half a pair is of no use, and is in the way
	}
	return a.print(result)
}
