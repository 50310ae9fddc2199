package resolve

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// inputDocuments are the documents of an [Input], read and, where a policy demands it,
// known to be signed.
type inputDocuments struct {
	release  *manifests.Release
	overlays []*manifests.Release // with paths relative to the release
	patches  []*manifests.Patch   // likewise
	signedBy map[string]string    // patch → id of its key
	signed   []SignedDocument
	inputs   *inputs
	secrets  *source.Secrets // of URLs, which none of the above has any more
}

// readDocuments reads everything and then checks signatures, since overlays
// hold a part of the policy; nothing is made of a document before that, and no file that
// a signed one names is used that was not signed with it.
func readDocuments(in Input) (*inputDocuments, error) {
	base := filepath.Dir(in.File)
	docs := &inputDocuments{signedBy: map[string]string{}, secrets: &source.Secrets{}, inputs: newInputs(base)}
	main, err := readDocument(in.File)
	if err != nil {
		return nil, err
	}
	if docs.release, err = manifests.Read(in.File, main.data); err != nil {
		return nil, err
	}
	main.named = docs.release.LocalPaths()
	main.rebased = main.named
	docs.takeSecrets(docs.release)
	overlays := make([]*document, len(in.Overlays))
	for i, file := range in.Overlays {
		overlay, err := readOverlay(file, base, &overlays[i])
		if err != nil {
			return nil, err
		}
		docs.takeSecrets(overlay)
		docs.overlays = append(docs.overlays, overlay)
	}
	patches := make([]*document, len(in.Patches))
	for i, file := range in.Patches {
		patch, err := readPatch(file, base, &patches[i])
		if err != nil {
			return nil, err
		}
		docs.takeSecrets(patch)
		docs.patches = append(docs.patches, patch)
	}
	if err := docs.verify(in.Policy, main, overlays, patches); err != nil {
		return nil, err
	}
	for _, d := range slices.Concat([]*document{main}, overlays, patches) {
		if d.signedBy != "" {
			docs.signed = append(docs.signed, SignedDocument{d.file, d.signedBy, d.bound})
		}
	}
	return docs, docs.inputs.checkAll()
}

// verify checks the signatures that the command line, overlays and the release demand.
func (docs *inputDocuments) verify(flags Policy, main *document, overlays, patches []*document) error {
	policy := manifests.Policy{RequireSignedRelease: flags.RequireSigned, RequireSignedPatches: flags.RequireSigned}
	keys := slices.Clone(flags.Keys)
	var errs []error
	for i, overlay := range docs.overlays {
		// A policy in an overlay is of who wrote it, and cannot vouch for itself: where
		// overlays have to be signed, its keys count once one of the command line's has signed it.
		if flags.RequireSigned {
			if err := overlays[i].verify(flags.Keys, docs.inputs); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		policy.RequireSignedRelease = policy.RequireSignedRelease || overlay.Policy.RequireSignedRelease
		policy.RequireSignedPatches = policy.RequireSignedPatches || overlay.Policy.RequireSignedPatches
		more, err := docs.inputs.keys(overlay.Policy.Keys)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		keys = append(keys, more...)
	}
	demanded := policy.RequireSignedRelease || policy.RequireSignedPatches || docs.release.Policy.RequireSignedPatches
	if !demanded && len(flags.Keys) > 0 {
		return fault.New(fault.Usage, fault.Here, "--doc-key", "say --require-signed, or demand signatures in a policy",
			"no signature is demanded of any document: the key would be used for nothing")
	}
	if policy.RequireSignedRelease {
		errs = append(errs, main.verify(keys, docs.inputs))
	}
	if policy.RequireSignedPatches || docs.release.Policy.RequireSignedPatches {
		errs = append(errs, docs.verifyPatches(patches, policy, keys))
	}
	return errors.Join(errs...)
}

// takeSecrets takes the secrets out of the URLs of a document, so that nothing that
// is made of it, or said of it, holds them.
func (docs *inputDocuments) takeSecrets(of interface {
	MapURLs(repository, file, told func(string) string)
}) {
	of.MapURLs(docs.secrets.Repository, docs.secrets.File, manifests.BareURL)
}

func (docs *inputDocuments) verifyPatches(patches []*document, local manifests.Policy, keys []signature.PublicKey) error {
	// Keys that a release brings count for its patches only where somebody has
	// vouched for the release, or nobody but the release asks.
	own := docs.release.Policy.Keys
	if local.RequireSignedPatches && !local.RequireSignedRelease {
		own = nil
	}
	more, err := docs.inputs.keys(own)
	if err != nil {
		return err
	}
	var errs []error
	for i, patch := range patches {
		errs = append(errs, patch.verify(append(more, keys...), docs.inputs))
		docs.signedBy[docs.patches[i].ID()] = patch.signedBy
	}
	return errors.Join(errs...)
}

func readOverlay(file, base string, into **document) (*manifests.Release, error) {
	return readRebased(file, base, into, manifests.ReadOverlay)
}

func readPatch(file, base string, into **document) (*manifests.Patch, error) {
	return readRebased(file, base, into, manifests.ReadPatch)
}

// readRebased reads a document whose paths start at its own folder, and makes
// them start at base.
func readRebased[T interface {
	comparable
	Rebase(folder string)
	LocalPaths() []manifests.LocalPath
}](file, base string, into **document, read func(string, []byte) (T, error)) (none T, err error) {
	doc, err := readDocument(file)
	if err != nil {
		return none, err
	}
	*into = doc
	is, err := read(file, doc.data)
	if err != nil {
		return none, err
	}
	doc.named = is.LocalPaths()
	folder, err := folderBelow(base, file)
	if folder != "." {
		is.Rebase(folder)
	}
	doc.rebased = is.LocalPaths()
	return is, err
}

// folderBelow returns the folder of a document relative to that of the release,
// or its absolute path where only one of the two is relative.
func folderBelow(base, file string) (string, error) {
	folder, err := filepath.Rel(base, filepath.Dir(file))
	if err != nil {
		return filepath.Abs(filepath.Dir(file))
	}
	return folder, nil
}
