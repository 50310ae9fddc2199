package manifests

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Platform is an operating system and a processor architecture in the terms of
// OCI image-spec, image-index.md: "linux/amd64", "linux/arm/v7"; for Windows a
// version too: "windows/amd64:10.0.20348.1234".
type Platform struct {
	OS           string
	Architecture string
	Variant      string
	OSVersion    string // of Windows alone; its first three numbers name the build
}

// windowsVersion is MAJOR.MINOR.BUILD and, in images, a revision.
var windowsVersion = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,5}(\.[0-9]{1,10})?$`)

// ParsePlatform reads "os/architecture" or "os/architecture/variant", for
// Windows also with ":" and a version.
func ParsePlatform(s string) (Platform, error) {
	flaw := fmt.Errorf("%q is not a platform such as linux/amd64", s)
	text, version, versioned := strings.Cut(s, ":")
	parts := strings.Split(text, "/")
	for _, part := range parts {
		if part == "" || strings.Trim(part[:1], "._-") == "" || strings.ContainsFunc(part, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
		}) {
			return Platform{}, flaw
		}
	}
	if len(parts) != 2 && len(parts) != 3 {
		return Platform{}, flaw
	}
	p := Platform{OS: parts[0], Architecture: parts[1], Variant: strings.Join(parts[2:], ""), OSVersion: version}
	if versioned && (p.OS != "windows" || !windowsVersion.MatchString(version)) {
		return Platform{}, fmt.Errorf("%q has a version that is not one of Windows, such as windows/amd64:10.0.20348", s)
	}
	return p, nil
}

// String returns "os/architecture[/variant][:version]".
func (p Platform) String() string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	if p.OSVersion != "" {
		s += ":" + p.OSVersion
	}
	return s
}

// Matches reports whether an image for have is for the platform p or, where an
// index has none for it, would be taken in its place: see [Platform.Rank].
func (p Platform) Matches(have Platform) bool {
	_, ok := p.Rank(have)
	return ok
}

// Same reports whether two platforms mean the same: linux/arm64 and
// linux/arm64/v8 do.
func (p Platform) Same(other Platform) bool { return p.normal() == other.normal() }

// Usual returns the platform as Go and image indexes write it: linux/x86_64 is
// linux/amd64.
func (p Platform) Usual() Platform {
	usual := p.normal()
	if usual.Architecture == p.Architecture {
		return p
	}
	if usual.Variant == usualVariants[usual.Architecture] {
		usual.Variant = ""
	}
	return usual
}

// Rank says how well an image for have suits where p is wanted: 0 if it is for
// just this variant of the processor, more the older the variant that it is for. A newer
// one, another processor and another build of Windows do not suit at all.
//
// That is how containerd reads an index (package platforms: Only and
// Normalize), but that it also takes 386 for amd64, and arm for arm64. Those are not
// carried, and asked for by nobody who names the platform.
func (p Platform) Rank(have Platform) (int, bool) {
	want, have := p.normal(), have.normal()
	if have.OS == "" {
		have.OS = want.OS // containerd takes it for that of the host
	}
	if want.OS != have.OS || want.Architecture != have.Architecture || !runsOnBuild(want.OSVersion, have.OSVersion) {
		return 0, false
	}
	for rank, variant := range downward(want) {
		if variant == have.Variant {
			return rank, true
		}
	}
	return 0, false
}

// usualVariants are those of which nothing need be said.
var usualVariants = map[string]string{"amd64": "v1", "arm64": "v8", "arm": "v7"}

// normal spells out what is left out, and what is spelled otherwise, as
// containerd does (package platforms, database.go).
func (p Platform) normal() Platform {
	p.OS, p.Architecture, p.Variant = strings.ToLower(p.OS), strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	switch p.Architecture {
	case "i386":
		p.Architecture, p.Variant = "386", ""
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if usual := usualVariants[p.Architecture]; usual != "" {
		p.Variant = cmp.Or(p.Variant, usual)
		if p.Variant[0] >= '0' && p.Variant[0] <= '9' && p.Architecture != "amd64" {
			p.Variant = "v" + p.Variant
		}
		if p.Architecture == "arm64" {
			p.Variant = strings.TrimSuffix(p.Variant, ".0")
		}
	}
	return p
}

// downward returns a platform's variant and the older ones that run on it, from
// the newest down (containerd, package platforms: platformVector).
func downward(p Platform) []string {
	variants := []string{p.Variant}
	major, minor, ok := variantNumber(p.Variant)
	whole := !strings.Contains(p.Variant, ".")
	switch {
	case !ok:
	case p.Architecture == "amd64" && whole:
		for major--; major >= 1; major-- {
			variants = append(variants, fmt.Sprint("v", major))
		}
	case p.Architecture == "arm" && whole:
		for major--; major >= 5; major-- {
			variants = append(variants, fmt.Sprint("v", major))
		}
	case p.Architecture == "arm64" && major == 9:
		variants = append(variants, minorsBelow("v9", minor)...)
		newest := min(minor+5, 9) // ARMv9.0 has what ARMv8.5 has, and so on
		variants = append(variants, fmt.Sprint("v8.", newest))
		variants = append(variants, minorsBelow("v8", newest)...)
	case p.Architecture == "arm64" && major == 8:
		variants = append(variants, minorsBelow("v8", minor)...)
	}
	return variants
}

// minorsBelow returns the variants of a major version before a minor one, downward.
func minorsBelow(major string, minor int) []string {
	var variants []string
	for minor--; minor > 0; minor-- {
		variants = append(variants, fmt.Sprint(major, ".", minor))
	}
	if minor == 0 {
		variants = append(variants, major)
	}
	return variants
}

// variantNumber reads a variant such as v7 or v8.2.
func variantNumber(variant string) (major, minor int, ok bool) {
	text, found := strings.CutPrefix(variant, "v")
	before, after, dotted := strings.Cut(text, ".")
	if len(text) > 3 {
		return 0, 0, false
	}
	major, err := strconv.Atoi(before)
	if err == nil && dotted {
		minor, err = strconv.Atoi(after)
	}
	return major, minor, found && err == nil
}

// server2022 is the build of Windows from which on a host runs containers of other
// builds than its own.
const server2022 = 20348

// runsOnBuild reports whether an image for one version of Windows is taken where
// another is wanted: the same one; the same build, whatever the revision; and from Server
// 2022 on also earlier builds back to that (containerd, package platforms:
// platform_windows_compat.go; its later releases want them back to the last
// long-term release alone). One that is not given is any.
func runsOnBuild(want, have string) bool {
	if want == "" || have == "" || want == have {
		return true
	}
	wantLine, wantBuild, ok := windowsBuild(want)
	haveLine, haveBuild, ok2 := windowsBuild(have)
	if !ok || !ok2 || wantLine != haveLine {
		return false
	}
	return wantBuild == haveBuild || server2022 <= haveBuild && haveBuild <= wantBuild
}

// windowsBuild returns the major and minor version of Windows, and its build.
func windowsBuild(version string) (line string, build int, ok bool) {
	parts := strings.SplitN(version, ".", 4)
	if len(parts) < 3 {
		return "", 0, false
	}
	build, err := strconv.Atoi(parts[2])
	return parts[0] + "." + parts[1], build, err == nil && build >= 0
}

// MarshalText writes the platform as String does.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads and checks a platform.
func (p *Platform) UnmarshalText(text []byte) error {
	parsed, err := ParsePlatform(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
