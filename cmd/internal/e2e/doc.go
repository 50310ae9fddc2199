// Package e2e holds the tests that need the whole program and what stands
// around it: the clients that read bundles on a site, a process that is killed,
// and Wire's real release manifests.
//
// Clients are looked for in PATH. A test whose client is missing is skipped,
// unless ISLAND_REQUIRE_TOOLS=1 is set, as it is in CI: then it fails.
package e2e
