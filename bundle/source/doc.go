// Package source is where content comes from: registries, chart repositories,
// file servers, folders, and the mirrors that stand in for them.
//
// # Names and locations
//
// A release names its content as its makers do: quay.io/wire/brig:5.30.9,
// https://charts.example.com/stable, oci://registry.example.com/charts. Such a
// name never changes: it is what the lock file holds and what the island's
// pods ask for. Where its bytes are fetched from is another matter, and is
// said by a mirrors file, as registries.conf says it for container engines and
// GOPROXY for Go modules:
//
//	apiVersion: island/v1
//	kind: Mirrors
//	rules:
//	- prefix: quay.io/wire                   # images: registry and repository
//	  mirrors:
//	  - location: registry.local:5000/quay   # has quay/brig for wire/brig
//	    insecure: true                       # plain HTTP is allowed
//	- prefix: https://charts.example.com     # HTTP chart repositories and files
//	  onlyMirrors: true                      # never ask the origin
//	  mirrors:
//	  - location: https://proxy.local/charts
//	    caFile: company-ca.pem
//	  - location: ./charts                   # a folder or an archive (.tgz, .zip …)
//
// Of the rules whose prefix ends where a part of the name ends, the longest
// wins. Its mirrors are asked in order and then, unless onlyMirrors is set,
// the origin. The next location is asked when one does not have the content
// (404, 410) or does not work (no connection, 429 or 5xx after all retries). A
// 401 or 403 and content with another digest than the one asked for end the
// search: a location that refuses, or serves something else, is a matter for a
// person. The final error names every location and how it failed.
//
// A folder that stands for a web server has its files below it, by their path.
// A folder that stands for a registry is one OCI image layout that holds all
// its images, named in the annotation org.opencontainers.image.ref.name by
// their whole name (quay.io/wire/brig:5.30.9), as skopeo copy writes it for
// oci:FOLDER:quay.io/wire/brig:5.30.9.
//
// # What survives
//
// Servers are asked as package registry does it: each request is tried again
// on failures that may pass. A reader from Upstream.Open continues after a reset,
// a body cut short or a minute of silence with a Range request from where it
// was, at the next location if one is exhausted. What was read is not trusted:
// whoever reads hashes the whole.
//
// # Credentials
//
// They come from Docker's and Podman's files ([registry.DefaultKeychain]), for
// registries and for HTTPS servers of the same host. A location in a mirrors
// file may carry its own as https://user:password@host and as a query
// (?private_token=…), and so may a URL in a release, or in the index of a chart
// repository. A name in a lock has none: they are taken off when the release is
// read and put on again when something is fetched ([Secrets]). User information
// goes to its own host alone, and a query to what its URL names and what is below
// that. Neither reaches the cache, an error or a log, not even if the server says
// it again. Plain HTTP is allowed, with credentials, for a mirror that says
// insecure, and for user information in a URL that says http://; package registry
// says what else holds of both.
//
// # The cache
//
// Manifests and charts are kept by digest, and re-hashed whenever they are
// read; what a tag, a chart version or the index of a repository was last is
// kept by name. With Offline in [registry.Options] names are answered from
// there alone. Blobs of images and files go straight into the bundle and are
// not cached.
//
// # The parts
//
// An [Upstream] is all of it in one: images (manifests and their referrers),
// chart repositories, and pinned content of any kind. They share the locator,
// which makes locations of names, the cache, and a registry.Client. A walk goes
// from location to location; a reader is a walk that has begun to read.
package source
