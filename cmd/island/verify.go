package main

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// maxKeyFile bounds a key file that is read.
const maxKeyFile = signature.MaxKeyFileSize

// trustFlags say whose signature is believed.
type trustFlags struct {
	keys          []string
	revoked       []string
	allowUnsigned bool
}

func (f *trustFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "public key of a trusted sender (repeatable; one of them is enough)")
	cmd.Flags().StringArrayVar(&f.revoked, "revoked", nil, "public key whose signatures count no more, whoever trusts it (repeatable)")
	cmd.Flags().BoolVar(&f.allowUnsigned, "allow-unsigned", false, "take a bundle that was built with --unsigned as it is")
}

func (f *trustFlags) trust() (bundle.Trust, error) {
	trust := bundle.Trust{AllowUnsigned: f.allowUnsigned}
	var err error
	if trust.Revoked, err = f.revokedIDs(); err != nil {
		return trust, err
	}
	for _, file := range f.keys {
		key, err := readPublicKey(file)
		if err != nil {
			return trust, err
		}
		trust.Keys = append(trust.Keys, key)
	}
	if len(trust.Keys) == 0 && !trust.AllowUnsigned {
		return trust, usage("give the sender's public key with --key island.pub", "no public key to verify with")
	}
	return trust, nil
}

// lookingTrust is for commands that look at a bundle and use nothing of it:
// without a key it is taken as whoever made it wrote it.
func (f *trustFlags) lookingTrust() (bundle.Trust, error) {
	if len(f.keys) == 0 && !f.allowUnsigned {
		return bundle.Trust{WithoutAnyCheck: true}, nil
	}
	return f.trust()
}

func (a *app) verify() *cobra.Command {
	var trust trustFlags
	var accept acceptFlags
	cmd := &cobra.Command{
		Use:   "verify BUNDLE",
		Short: "Check the signature and every byte of a bundle",
		Long: `Check a bundle before anything in it is used: first the signature over its
inventory, then every header, every padding byte and the end of the archive
against what the inventory makes them, every content against its digest, and
every image for being whole. It stops at the first bad byte and names the entry.

BUNDLE may be - for standard input, which is read once. Of a delta bundle, what it
carries is checked, and its base named.

With --state the site remembers the highest sequence that it has accepted of each
release, whoever signed it: an older bundle, however well signed, is refused. What
only keys named with --revoked have signed counts no more.` + exitStatus(refusedStatus),
		Example: `  island verify wire-2026.1-amd64.tar --key island.pub
  island verify wire-2026.1-amd64.tar --key island.pub --state /var/lib/island/state.json
  ssh carrier cat wire.tar | island verify - --key island.pub`,
		Args: oneArg("a bundle"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := trust.trust()
			if err != nil {
				return err
			}
			return a.runVerify(cmd.Context(), args[0], t, accept)
		},
	}
	trust.add(cmd)
	accept.add(cmd)
	return cmd
}

type verifyResult struct {
	Bundle   string                  `json:"bundle"`
	Verified bool                    `json:"verified"` // always true: what is not verified is an error
	Digest   manifests.Digest        `json:"digest"`
	SignedBy string                  `json:"signedBy,omitempty"` // id of the first key that has signed
	Signers  []signer                `json:"signers,omitempty"`  // all trusted keys that have signed
	Release  manifests.LockedRelease `json:"release"`
	Entries  int                     `json:"entries"`
	Size     int64                   `json:"size"`
	Base     *bundle.DeltaBase       `json:"base,omitempty"` // of a delta: the bundle that it has to be applied to
	counts
}

func (r verifyResult) text(w io.Writer) {
	fmt.Fprintf(w, "verified %s  (%s, %d entries)\n", r.Bundle, manifests.Bytes(r.Size), r.Entries)
	fmt.Fprintf(w, "release  %s\n", printable(releaseLine(r.Release)))
	if r.Base != nil {
		fmt.Fprintf(w, "delta    to be applied to %s %s, identity %s\n", printable(r.Base.Name), printable(r.Base.Version), r.Base.Digest)
	}
	r.counts.text(w)
	if len(r.Signers) == 0 {
		fmt.Fprintf(w, "signed   NO: whoever made this archive may be anyone\n")
	}
	for _, signer := range r.Signers {
		fmt.Fprintf(w, "signed   by key %s\n", signer.KeyID)
	}
	fmt.Fprintf(w, "identity %s\n", r.Digest)
}

func (a *app) runVerify(ctx context.Context, name string, trust bundle.Trust, accept acceptFlags) error {
	day, err := today()
	if err != nil {
		return err
	}
	state, err := accept.load(&trust, day)
	if err != nil {
		return err
	}
	progress := a.progress("verify")
	b, err := verifyFileOrStream(ctx, name, trust, bundle.VerifyOptions{Progress: progress})
	progress.close()
	if err != nil {
		return err
	}
	result := verifyResult{
		Bundle: name, Verified: true, Digest: b.Digest, Release: b.Inventory.Lock.Release,
		Entries: len(b.Inventory.Entries), Size: b.Size(), counts: count(&b.Inventory.Lock),
	}
	result.SignedBy, result.Signers = firstSigner(b.SignedBy), signersOf(b.SignedBy)
	if b.Delta != nil {
		result.Base, result.Entries = &b.Delta.Base, len(b.Delta.Entries)+len(b.Delta.Deep)
	}
	if err := a.accept(accept, state, b, day); err != nil {
		return err
	}
	return a.print(result)
}

func verifyFileOrStream(ctx context.Context, name string, trust bundle.Trust, options bundle.VerifyOptions) (*bundle.Bundle, error) {
	if name == "-" {
		return bundle.VerifyStream(ctx, os.Stdin, trust, options)
	}
	file, size, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := bundle.Open(file, size, trust)
	if err != nil {
		return nil, err
	}
	return b, b.Verify(ctx, options)
}

func readPublicKey(file string) (signature.PublicKey, error) {
	data, err := readBounded(file, maxKeyFile)
	if err != nil {
		return signature.PublicKey{}, err
	}
	return signature.ParsePublicKey(file, data)
}

// openRegular opens a file that can be read at any offset.
func openRegular(name string) (*os.File, int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, fault.Explain(err, fault.Usage, fault.Here, "", "give the path of a bundle, or - for standard input")
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = usage("pipe it in and name it -", "%s is not a regular file", name)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("file is larger than %s", manifests.Bytes(limit))
	}
	return data, fault.Explain(err, fault.Usage, fault.Here, name, "")
}

func keyID(key crypto.Signer) (string, error) {
	public, err := signature.NewPublicKey(key.Public())
	return public.ID(), err
}

func releaseLine(r manifests.LockedRelease) string {
	line := fmt.Sprintf("%s %s of %s", r.Name, r.Version, r.Date)
	if r.Cycle != "" {
		line += ", cycle " + r.Cycle
	}
	if r.Profile != "" {
		line += ", profile " + r.Profile
	}
	for i, platform := range r.Platforms {
		separator := ", "
		if i > 0 {
			separator = " and "
		}
		line += separator + platform.String()
	}
	return line
}
