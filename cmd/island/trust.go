package main

import (
	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
)

// trustFlags say whose signature is believed.
type trustFlags struct {
	keys          []string
	revoked       []string
	allowUnsigned bool
}

// add adds them to a command that wants a signature to count, or that looks at what
// it is given without one.
func (f *trustFlags) add(a *app, cmd *cobra.Command) {
	inGroup(cmd, ofTrust, f.addFlags)
	others := []string{"key"}
	if cmd.Flags().Lookup("state") != nil {
		others = append(others, "state") // which remembers it
	}
	a.idle(cmd, idleWithout([]string{"revoked"}, "give the public keys that are trusted with --key", others...))
}

func (f *trustFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "public key of a trusted sender (repeatable; one of them is enough)")
	cmd.Flags().StringArrayVar(&f.revoked, "revoked", nil, "public key whose signatures count no more, whoever trusts it (repeatable)")
	cmd.Flags().BoolVar(&f.allowUnsigned, "allow-unsigned", false, "take a bundle that was built with --unsigned as it is")
}

// wantsBundle refuses flags that say whose signature counts where nothing that was
// given has one.
func (f *trustFlags) wantsBundle(subjects ...*subject) error {
	for _, s := range subjects {
		if s.bundle != nil {
			return nil
		}
	}
	var names []string
	for _, flag := range []struct {
		name  string
		given bool
	}{{"--allow-unsigned", f.allowUnsigned}, {"--key", len(f.keys) > 0}, {"--revoked", len(f.revoked) > 0}} {
		if flag.given {
			names = append(names, flag.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return idleFlags(names, "with "+string(subjects[0].file.form)+", which has no signature in it", "give the bundle, or leave them out")
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

func readPublicKey(file string) (signature.PublicKey, error) {
	data, err := readDocument(file, signature.MaxKeyFileSize, aPublicKey)
	if err != nil {
		return signature.PublicKey{}, err
	}
	return signature.ParsePublicKey(file, data)
}

// revokedIDs returns the ids of the keys named with --revoked.
func (f *trustFlags) revokedIDs() ([]string, error) {
	var ids []string
	for _, file := range f.revoked {
		key, err := readPublicKey(file)
		if err != nil {
			return nil, err
		}
		ids = append(ids, key.ID())
	}
	return ids, nil
}
