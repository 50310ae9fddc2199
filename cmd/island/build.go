package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

type buildFlags struct {
	release      releaseFlags
	upstream     upstreamFlags
	out          string
	force        bool
	signing      signingFlags
	signers      []string
	unsigned     bool
	toolsFolder  string
	withoutTools bool
	base         string
	delta        string
	reuse        []string
	strict       bool
	site         string
	table        string
	lang         string
}

func (a *app) build() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build [LOCK | -f RELEASE]",
		Short: "Build a signed bundle from a lock or a release",
		Long: `Fetch everything that a lock pins and write it into one signed archive. Given a
release instead of a lock, it is resolved first.

Every byte is written once, to its final place. While it is built the archive is
called NAME.tar.partial; run the same command again after an interruption and
only what is missing is fetched. The same lock and the same build of this
program give the same bytes.

The program itself travels in the bundle, below tools/, for each architecture of
the release, and so does the probe that preflight needs, if it lies beside it.
Where the architecture is not the running program's, --tools names a folder that
has OS-ARCH/island and OS-ARCH/island-probe, as "make build" fills it.` + exitStatus(demandedStatus),
		Example: `  island build island.lock.json --key island.key
  island build -f build.json --profile default --key island.key -o wire.tar
  island build -f release.yaml --key vendor.key --signer site=site.key
  island build new.lock.json --key island.key --base wire-2026.1-amd64.tar   # a delta
  island build new.lock.json --key island.key --base wire-2026.1-amd64.tar --delta=deep
  island build new.lock.json --key island.key --reuse wire-2026.1-amd64.tar`,
		Args: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (f.release.file != "") || len(args) > 1 {
				return usage("island build island.lock.json, or island build -f release.yaml", "wants either one lock file or -f RELEASE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runBuild(cmd.Context(), f, strings.Join(args, ""))
		},
	}
	f.add(a, cmd)
	return cmd
}

func (f *buildFlags) add(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "archive to write (default: NAME-VERSION-ARCH.tar)")
	flags.BoolVar(&f.force, "force", false, "replace an archive that exists")
	flags.BoolVar(&f.strict, "strict-discovery", true, "refuse to build while something may be an image and no rule of the release decides")
	f.release.add(cmd)
	f.upstream.add(a, cmd)
	inGroup(cmd, ofSigning, f.addSigning)
	inGroup(cmd, ofDelta, f.addEarlier)
	inGroup(cmd, ofTools, f.addTools)
	inGroup(cmd, ofSizing, f.addSizing)
	a.idle(cmd,
		idleRule{group: ofRelease, where: "beside a lock, in which all that is decided",
			hint: "resolve again with them, and build that lock; or build -f RELEASE with them",
			when: func(_ *cobra.Command, args []string) bool { return len(args) > 0 }},
		idleWith([]string{"key", "signer", "passphrase-file"}, "unsigned", "leave one out"),
		idleWithout([]string{"delta"}, "name the earlier bundle with --base", "base"),
		idleWithout([]string{"lang"}, "it is the language of the sizing report: name the site document with --site", "site"),
		idleWith([]string{"tools"}, "without-tools", "leave one out"),
	)
}

func (f *buildFlags) addSigning(cmd *cobra.Command) {
	f.signing.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.signers, "signer", nil, "further signer as NAME=KEYFILE (repeatable)")
	flags.BoolVar(&f.unsigned, "unsigned", false, "build without a signature; such a bundle is refused unless the site allows it")
}

func (f *buildFlags) addEarlier(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "build a delta for this earlier bundle (or the bundle.json out of it): only what it lacks")
	flags.StringVar(&f.delta, "delta", deltaWhole,
		"with --base: carry changed layers whole, or as patches where they can be rebuilt from the base (deep)")
	flags.StringArrayVar(&f.reuse, "reuse", nil, "take from this earlier bundle what it has, rather than from the network (repeatable)")
}

func (f *buildFlags) addTools(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.toolsFolder, "tools", "", "folder with OS-ARCH/island for the release's platforms")
	flags.BoolVar(&f.withoutTools, "without-tools", false, "carry no program; the site must have its own")
}

func (f *buildFlags) addSizing(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.site, "site", "", "site document: the sizing report for it travels in the bundle")
	flags.StringVar(&f.table, "table", "", "hardware table to carry: one that island size knows by name, or a file")
	flags.StringVar(&f.lang, "lang", "en", "language of the sizing report: "+languages())
}

type buildResult struct {
	Bundle     string `json:"bundle"`
	Base       string `json:"base,omitempty"` // of a delta: the identity of the bundle that it is for
	Digest     string `json:"digest"`         // of bundle.json
	Size       int64  `json:"size"`
	Patches    int    `json:"patches,omitempty"` // of a deep delta: layers carried as patches
	ReusedSize int64  `json:"reused"`            // bytes found done from an interrupted run
	KeyID      string `json:"keyID,omitempty"`
	counts
}

func (r buildResult) text(w *printable.Printer) {
	w.Printf("bundle   %s  (%s)\n", r.Bundle, manifests.Bytes(r.Size))
	if r.Base != "" {
		w.Printf("delta    for %s\n", r.Base)
	}
	if r.Patches > 0 {
		w.Printf("deep     %s\n", fault.Counted(r.Patches, "changed layer is carried as a patch", "changed layers are carried as patches"))
	}
	if r.ReusedSize > 0 {
		w.Printf("resumed  %s were there from an earlier run\n", manifests.Bytes(r.ReusedSize))
	}
	r.counts.text(w)
	if r.KeyID == "" {
		w.Printf("signed   no\n")
	} else {
		w.Printf("signed   by key %s\n", r.KeyID)
	}
	w.Printf("identity %s\n", r.Digest)
}

func (a *app) runBuild(ctx context.Context, f buildFlags, lockFile string) error {
	d, err := a.prepare(ctx, f, lockFile)
	if err != nil {
		return err
	}
	plan, err := f.plan(d.lock, d.signers)
	if err != nil {
		return err
	}
	world, err := f.upstream.open(a, d.baseDir, d.secrets)
	if err != nil {
		return err
	}
	defer world.Close()
	pool, err := sandbox.New(sandbox.Options{}) // for charts that are kept as folders; it starts nothing by itself
	if err != nil {
		return err
	}
	defer pool.Close()
	source, closeReused, err := f.source(resolve.Source{World: world, BaseDir: d.baseDir, Discover: pool.Discover})
	if err != nil {
		return err
	}
	defer closeReused()
	if f.delta == deltaDeep {
		if plan, err = a.deepen(ctx, f, plan, d.signers, source, d.out); err != nil {
			return err
		}
		defer plan.Close()
	}
	result, err := a.fill(ctx, f, d, plan, source)
	if err != nil {
		return err
	}
	return a.print(result)
}

// delivery is what a build knows before it fetches anything for the bundle.
type delivery struct {
	signers []namedSigner
	lock    *manifests.Lock
	baseDir string          // paths in the lock are relative to it
	secrets *source.Secrets // of the release's URLs, which a lock does not hold
	out     string
}

func (a *app) prepare(ctx context.Context, f buildFlags, lockFile string) (delivery, error) {
	var d delivery
	err := f.checkDelta()
	if err != nil {
		return d, err
	}
	// The key comes first: a wrong passphrase should not cost an hour's
	// fetching, and the memory that scrypt takes is given back before buffers
	// need it.
	if d.signers, err = f.readSigners(ctx); err != nil {
		return d, err
	}
	if f.out != "" { // else the lock names it
		if err := f.mayWrite(f.out, lockFile); err != nil {
			return d, err
		}
	}
	if err := a.lockToBuild(ctx, f, lockFile, &d); err != nil {
		return d, err
	}
	d.out = cmp.Or(f.out, f.fileName(d.lock))
	if err := f.mayWrite(d.out, lockFile); err != nil {
		return d, err
	}
	if f.strict && len(d.lock.Undecided) > 0 {
		return d, undecided(d.lock.Undecided)
	}
	return d, nil
}

// mayWrite says before a bundle is made why it may not have that name.
func (f *buildFlags) mayWrite(out, lockFile string) error {
	inputs := append(f.release.inputs(), lockFile, f.base, f.upstream.mirrors, f.site)
	if err := notAnInput(out, append(inputs, f.reuse...)...); err != nil {
		return err
	}
	return mayCreate(out, f.force)
}

func (a *app) fill(ctx context.Context, f buildFlags, d delivery, plan *bundle.Plan, source bundle.Source) (buildResult, error) {
	progress := a.progress("build")
	err := bundle.Fill(ctx, plan, source, d.out, bundle.FillOptions{
		Parallel: f.upstream.total, Progress: progress, Replace: f.force,
	})
	progress.close()
	if err != nil {
		if impatient := (*registry.PatienceError)(nil); ctx.Err() != nil || errors.As(err, &impatient) {
			a.note("what is finished is kept in %s; run the same command again to go on", d.out+bundle.PartialSuffix)
		}
		return buildResult{}, err
	}
	result := buildResult{
		Bundle: d.out, Base: string(plan.BaseDigest()), Digest: string(plan.Digest()), Size: plan.Size(),
		ReusedSize: progress.reused.Load(), Patches: len(plan.DeepPatches()), counts: count(d.lock),
	}
	if len(d.signers) > 0 {
		result.KeyID = d.signers[0].ID
	}
	return result, nil
}

// fileName returns the archive's name where nobody chooses one.
func (f *buildFlags) fileName(lock *manifests.Lock) string {
	name := bundle.FileName(lock)
	if f.base != "" {
		name = strings.TrimSuffix(name, ".tar") + ".delta.tar"
	}
	return name
}

// source puts the earlier bundles that --reuse names before the world. What
// they give is hashed like everything else, so that no key is needed.
func (f *buildFlags) source(world bundle.Source) (bundle.Source, func(), error) {
	var bundles []*bundle.Bundle
	var closers []func() error
	closeAll := func() {
		for _, closer := range closers {
			_ = closer()
		}
	}
	for _, name := range f.reuse {
		b, closer, err := openBundle(name, bundle.Trust{WithoutAnyCheck: true})
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		bundles, closers = append(bundles, b), append(closers, closer)
	}
	return bundle.NewReuse(world, bundles...), closeAll, nil
}

// undecided refuses a delivery that may lack an image.
func undecided(list []manifests.Omission) error {
	var errs []error
	for _, o := range list[:min(len(list), maxUndecidedShown)] {
		errs = append(errs, fault.New(fault.Failure, fault.Here, "image "+o.What, "",
			"it may be needed on the island, and no rule decides: %s (%s)", o.Reason, originLine(o.Origin)))
	}
	more := ""
	if hidden := len(list) - maxUndecidedShown; hidden > 0 {
		more = fmt.Sprintf(", %d of them not shown", hidden)
	}
	return errors.Join(append(errs, fault.New(fault.Failure, fault.Here, "discovery",
		"island discover prints rules to paste into the release; --strict-discovery=false builds all the same",
		"%s undecided%s", fault.Counted(len(list), "candidate is", "candidates are"), more))...)
}

// maxUndecidedShown keeps a first try on fifty charts readable.
const maxUndecidedShown = 20

// lockToBuild reads the lock, or makes it of the release.
func (a *app) lockToBuild(ctx context.Context, f buildFlags, lockFile string, d *delivery) (err error) {
	if lockFile != "" {
		d.baseDir = filepath.Dir(lockFile)
		if d.lock, err = readLock(lockFile); err != nil {
			return err
		}
		return noSecrets(d.lock)
	}
	assembled, err := f.release.assemble()
	if err != nil {
		return err
	}
	d.baseDir, d.secrets = assembled.BaseDir, assembled.Secrets
	d.lock, err = a.makeLock(ctx, assembled, f.release, f.upstream)
	return err
}

// noSecrets refuses a lock that would bring secrets into a bundle, as locks of
// earlier versions may.
func noSecrets(lock *manifests.Lock) error {
	var errs []error
	lock.MapURLs(func(url string) string {
		if bare := manifests.BareURL(url); bare != url {
			errs = append(errs, fault.New(fault.Usage, fault.Here, bare, "resolve again: locks hold no secrets any more",
				"lock holds a URL with a user, token or query, which would be signed and handed on"))
		}
		return url
	})
	return errors.Join(errs...)
}

func (f *buildFlags) plan(lock *manifests.Lock, signers []namedSigner) (*bundle.Plan, error) {
	tools, err := f.tools(lock.Release.Platforms)
	if err != nil {
		return nil, err
	}
	documents, err := documentsOf(lock)
	if err != nil {
		return nil, err
	}
	sizes, err := f.sizingDocuments(lock)
	if err != nil {
		return nil, err
	}
	options := bundle.PlanOptions{Tool: toolVersion(), Tools: tools, Documents: append(documents, sizes...)}
	for _, signer := range signers {
		if signer.Name != "" {
			options.Signers = append(options.Signers, signer.Name)
		}
	}
	plan, err := bundle.NewPlan(lock, options)
	if err != nil {
		return nil, err
	}
	if f.base != "" && f.delta == deltaWhole {
		base, err := openBase(f.base)
		if err != nil {
			return nil, err
		}
		if plan, err = plan.Delta(base); err != nil {
			return nil, err
		}
	}
	return plan, signPlan(plan, signers)
}

// tools returns the program, and the probe that preflight brings to machines, for
// every platform that they run on there.
func (f *buildFlags) tools(platforms []manifests.Platform) ([]bundle.Tool, error) {
	if f.withoutTools {
		return nil, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var tools []bundle.Tool
	for i, platform := range platforms {
		runsSame := func(p manifests.Platform) bool { return p.OS == platform.OS && p.Architecture == platform.Architecture }
		if slices.ContainsFunc(platforms[:i], runsSame) {
			continue
		}
		folder := platform.OS + "-" + platform.Architecture
		from := filepath.Join(f.toolsFolder, folder)
		program := filepath.Join(from, "island")
		if f.toolsFolder == "" {
			from, program = filepath.Dir(self), self
			if platform.OS != runtime.GOOS || platform.Architecture != runtime.GOARCH {
				return nil, fault.New(fault.Usage, fault.Here, "tools", `run "make build" and give --tools dist; or say --without-tools`,
					"this program is for %s/%s, the release also wants one for %s", runtime.GOOS, runtime.GOARCH, platform)
			}
		}
		tools = append(tools, bundle.Tool{Path: folder + "/island", File: program})
		probe := filepath.Join(from, probeName)
		if _, err := os.Stat(probe); err == nil || f.toolsFolder != "" {
			tools = append(tools, bundle.Tool{Path: folder + "/" + probeName, File: probe})
		}
	}
	return tools, nil
}

// probeName is the program that preflight brings to machines. It is carried if
// it lies beside this one, as make build puts it; a folder that was named has
// to have it.
const probeName = "island-probe"

// readSigners reads the keys of all signers; none with --unsigned.
func (f *buildFlags) readSigners(ctx context.Context) ([]namedSigner, error) {
	if f.unsigned {
		return nil, nil
	}
	if f.signing.key == "" {
		return nil, usage("make one with island keygen; --unsigned builds a bundle that sites refuse by default", "no --key to sign with")
	}
	signers := []namedSigner{}
	for _, spec := range append([]string{"=" + f.signing.key}, f.signers...) {
		name, file, ok := strings.Cut(spec, "=")
		if !ok || file == "" || (name == "" && len(signers) > 0) || (name != "" && !bundle.IsSignerName(name)) {
			return nil, usage("such as --signer site=site.key", "--signer %q is not NAME=KEYFILE with a short lowercase name", spec)
		}
		signer, err := f.signing.readSigner(ctx, name, file)
		if err != nil {
			return nil, err
		}
		signers = append(signers, signer)
	}
	return signers, nil
}
