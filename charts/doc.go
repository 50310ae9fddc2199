// Package charts reads Helm charts, renders them as `helm template` does and
// finds the container images in what was rendered.
//
// The three steps are apart, so that each can be checked and repeated alone:
//
//	chart, err := charts.Load(archive)                  // bytes in, checked files out
//	rendered, err := chart.Render(ctx, charts.Rendering{…}) // one set of values
//	finds, err := charts.Find(rendered)                 // images, and what was left out
//
// A chart archive comes from outside and is hostile until it has been checked:
// [Load] reads it within the limits of this package ([MaxArchive],
// [MaxUnpacked], [MaxFiles] …), and accepts regular files inside one folder
// and nothing else. What Helm itself refuses to load is refused, since it would be
// refused on the island.
//
// Rendering is done by Helm's own engine. It reaches neither the network (no
// cluster for `lookup`, no DNS for `getHostByName`, no download of a schema),
// nor the environment, nor any file outside of the chart. A chart that does
// not render is an error that says where and which value is missing, see
// [RenderError]: a chart without its images is the one failure an air-gapped
// site cannot repair.
//
// Finding looks at objects, not at text: at the pod specs of all workload kinds,
// at the custom resources of operators, at arguments, environment and files, and at
// fields that name images anywhere. Each [ImageFind] keeps where it came from and
// how sure it is, its [Class]. [Chart.Discover] does all of it for several
// renderings at once, and looks at what charts have and do not use.
package charts
