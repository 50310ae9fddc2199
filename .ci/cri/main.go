// Command cri does with a container runtime what a kubelet does: it pulls an
// image and runs it, by the Container Runtime Interface. The tests of a bundle
// use it; it is a module of its own, so that none of what it links is in the product.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const usage = `usage: cri SOCKET pull IMAGE   pulls an image, and prints the id of its configuration
       cri SOCKET id IMAGE     prints the id of the configuration of an image that is there
       cri SOCKET run IMAGE    runs an image that is there to its end, and prints what it says`

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New(usage)
	}
	connection, err := grpc.NewClient("unix:"+args[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	runtime := node{cri.NewImageServiceClient(connection), cri.NewRuntimeServiceClient(connection)}
	image := &cri.ImageSpec{Image: args[2]}
	switch args[1] {
	case "pull":
		if _, err := runtime.images.PullImage(ctx, &cri.PullImageRequest{Image: image}); err != nil {
			return err
		}
		return runtime.id(ctx, image)
	case "id":
		return runtime.id(ctx, image)
	case "run":
		return runtime.run(ctx, image)
	}
	return errors.New(usage)
}

// node is a machine that runs pods.
type node struct {
	images cri.ImageServiceClient
	pods   cri.RuntimeServiceClient
}

func (n node) id(ctx context.Context, image *cri.ImageSpec) error {
	status, err := n.images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: image})
	if err != nil {
		return err
	}
	if status.Image == nil {
		return fmt.Errorf("image %s is not there", image.Image)
	}
	fmt.Println(status.Image.Id)
	return nil
}

// run runs one container in a pod on the host's network, so that no network
// plug-in is needed.
func (n node) run(ctx context.Context, image *cri.ImageSpec) (err error) {
	logs, err := os.MkdirTemp("", "cri")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs)
	name := filepath.Base(logs)
	pod := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Uid: name, Namespace: "default"},
		LogDirectory: logs,
		Linux: &cri.LinuxPodSandboxConfig{SecurityContext: &cri.LinuxSandboxSecurityContext{
			NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE},
		}},
	}
	sandbox, err := n.pods.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: pod})
	if err != nil {
		return err
	}
	defer func() {
		_, stopped := n.pods.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: sandbox.PodSandboxId})
		_, removed := n.pods.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: sandbox.PodSandboxId})
		err = errors.Join(err, stopped, removed)
	}()
	created, err := n.pods.CreateContainer(ctx, &cri.CreateContainerRequest{
		PodSandboxId: sandbox.PodSandboxId, SandboxConfig: pod,
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: name}, Image: image, LogPath: "log",
			Linux: &cri.LinuxContainerConfig{SecurityContext: &cri.LinuxContainerSecurityContext{
				NamespaceOptions: &cri.NamespaceOption{Network: cri.NamespaceMode_NODE},
			}},
		},
	})
	if err != nil {
		return err
	}
	if _, err := n.pods.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: created.ContainerId}); err != nil {
		return err
	}
	if err := n.await(ctx, created.ContainerId); err != nil {
		return err
	}
	said, err := os.ReadFile(filepath.Join(logs, "log"))
	fmt.Print(plain(string(said)))
	return err
}

// patience ends what hangs.
const patience = 5 * time.Minute

// await waits until a container has ended, and is an error if it has not ended well.
func (n node) await(ctx context.Context, container string) error {
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		answer, err := n.pods.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: container})
		if err != nil {
			return err
		}
		if status := answer.Status; status.State == cri.ContainerState_CONTAINER_EXITED {
			if status.ExitCode != 0 {
				return fmt.Errorf("container ended with %d, %s: %s", status.ExitCode, status.Reason, status.Message)
			}
			return nil
		}
	}
	return fmt.Errorf("container has not ended within %s", patience)
}

// plain takes time, stream and tag off the lines of a container's log
// (Kubernetes design proposal, "CRI: Dockershim container logs").
func plain(log string) string {
	var text strings.Builder
	for line := range strings.Lines(log) {
		if parts := strings.SplitN(line, " ", 4); len(parts) == 4 {
			text.WriteString(parts[3])
		}
	}
	return text.String()
}
