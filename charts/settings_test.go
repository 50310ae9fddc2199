package charts

import (
	"testing"
)

// TestImagesInTexts holds what texts of many formats say of images: what is named
// so is likely, what merely looks like one a candidate.
func TestImagesInTexts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		format, text string
		want         []string
	}{
		{"TOML", "[[pools]]\n  runner_image = \"zeta/runner:3\"\n[pools.cache]\n  image = 'zeta/cache:1.2-alpine' # of the pool\n",
			[]string{"likely zeta/runner:3", "likely zeta/cache:1.2-alpine"}},
		{"TOML in parts", "[worker.image]\nregistry = \"ghcr.io\"\nrepository = \"zeta/worker\"\ntag = \"1.10\"\n[other]\ntag = \"2\"\n",
			[]string{"likely ghcr.io/zeta/worker:1.10"}},
		{"TOML in one line", "worker = { image = \"zeta/worker:1\" }\nimage = { name = \"zeta/other\", tag = \"2\" }\n",
			[]string{"likely zeta/worker:1", "likely zeta/other:2"}},
		{"TOML list", "allowed_images = [\n  \"zeta/a:1\",\n  \"redis:7.2\",\n]\n", []string{"likely zeta/a:1", "likely redis:7.2"}},
		{"TOML table of images", "[images]\nweb = \"zeta/web:1\"\nport = \"8080\"\n", []string{"likely zeta/web:1"}},
		{"INI", "[core]\nhelper_image = zeta/helper:2\nhelper_command = run --all\n", []string{"likely zeta/helper:2"}},
		{"INI with colons", "[core]\nhelper_image: zeta/helper:2\n", []string{"likely zeta/helper:2"}},
		{"properties", "spark.kubernetes.container.image=zeta/spark:3.5.1\nx.y=1\n", []string{"likely zeta/spark:3.5.1"}},
		{"properties in parts", "app.image.repository = zeta/app\napp.image.tag = 4.0\n", []string{"likely zeta/app:4.0"}},
		{"variables", "export HELPER_IMAGE=\"zeta/helper:2\"\nWEB_IMAGE_REPO='zeta/web'\nWEB_IMAGE_TAG=16.10\n",
			[]string{"likely zeta/helper:2", "likely zeta/web:16.10"}},
		{"defaults of variables", ": ${IMAGE:=zeta/a:1}\nrun ${SIDE_IMAGE:-zeta/b:2} ${OTHER_IMAGE-ghcr.io/zeta/c:3}\nX=${NAME:-x}\n",
			[]string{"likely zeta/a:1", "likely zeta/b:2", "likely ghcr.io/zeta/c:3"}},
		{"placeholders of Spring", "runner.image: ${RUNNER_IMAGE:zeta/runner:5}\n", []string{"likely zeta/runner:5"}},
		{"Makefile", "IMAGE ?= zeta/make:1\nOTHER_IMAGE := zeta/make:2\n", []string{"likely zeta/make:1", "likely zeta/make:2"}},
		{"HCL", "job \"web\" {\n  task \"server\" {\n    config {\n      image = \"zeta/server:1.0\"\n    }\n  }\n}\n",
			[]string{"likely zeta/server:1.0"}},
		{"HCL in parts", "container_image {\n  repository = \"ghcr.io/zeta/server\"\n  tag        = \"2\"\n}\n",
			[]string{"likely ghcr.io/zeta/server:2"}},
		{"JSON5", "{\n  // the runner\n  runner: {image: 'zeta/runner:6', env: {}},\n  helperImage: \"zeta/helper:7\",\n}\n",
			[]string{"likely zeta/runner:6", "likely zeta/helper:7"}},
		{"Jsonnet", "{\n  _images+:: {\n    web: 'zeta/web:8',\n  },\n  proxyImage:: 'zeta/proxy:9',\n}\n",
			[]string{"likely zeta/web:8", "likely zeta/proxy:9"}},
		{"XML", "<configuration><property><name>runtime.docker.image</name><value>zeta/hadoop:3</value></property></configuration>",
			[]string{"likely zeta/hadoop:3"}},
		{"XML elements", "<pod>\n <containerImage>zeta/xml:1</containerImage>\n <image name=\"x\">zeta/xml:2</image>\n</pod>",
			[]string{"likely zeta/xml:1", "likely zeta/xml:2"}},
		{"XML attributes", `<entry key="agent.image">zeta/xml:3</entry><property name="helperImage" value="zeta/xml:4"/>` +
			`<run image="zeta/xml:5"/>`,
			[]string{"likely zeta/xml:3", "likely zeta/xml:4", "likely zeta/xml:5"}},
		{"unit of systemd", "[Service]\nEnvironment=IMAGE=zeta/unit:1\nEnvironment=\"SIDE_IMAGE=zeta/unit:2\"\n" +
			"ExecStart=/usr/bin/docker run --rm -p 80:80 zeta/unit:3 serve\n",
			[]string{"likely zeta/unit:1", "likely zeta/unit:2", "candidate zeta/unit:3"}},
		{"quadlet", "[Container]\nImage=docker.io/zeta/quadlet:1\nPublishPort=8080:80\n", []string{"likely docker.io/zeta/quadlet:1"}},
		{"Dockerfile", "FROM --platform=linux/amd64 zeta/build:1 AS build\nRUN make\nFROM scratch\n" +
			"COPY --from=zeta/files:2 /a /b\nCOPY --from=build /c /d\n",
			[]string{"likely zeta/build:1", "likely zeta/files:2"}},
		{"script", "#!/bin/sh\nexec op \\\n  --side-image zeta/side:1 \\\n  --proxy-image=\"zeta/proxy:2\" --listen :8080\n",
			[]string{"likely zeta/side:1", "likely zeta/proxy:2"}},
		{"commands", "podman pull zeta/pulled:1\ndocker run -v data:/data -e A=b:c --rm busybox:1.36 sh\n" +
			"ctr -n k8s.io images pull docker.io/zeta/ctr:2\nkubectl set image deploy/web web=zeta/set:3\n" +
			"skopeo copy docker://zeta/copied:4 dir:/x\n",
			[]string{"candidate zeta/pulled:1", "candidate busybox:1.36", "candidate docker.io/zeta/ctr:2", "candidate zeta/set:3",
				"candidate zeta/copied:4"}},
		{"Jenkinsfile", "pipeline { agent { docker { image 'zeta/maven:3' } } }\ndocker.image(\"zeta/node:20\").inside { }\n" +
			"containerTemplate(name: 'go', image: 'golang:1.22', ttyEnabled: true)\n",
			[]string{"candidate zeta/maven:3", "candidate zeta/node:20", "likely golang:1.22"}},
		{"Python", "c.Spawner.image = \"zeta/notebook:1\"\nimage = get(\"x\")\nspec = dict(image='zeta/notebook:2')\n",
			[]string{"likely zeta/notebook:1", "likely zeta/notebook:2"}},
		{"Lua", "local image = 'zeta/lua:1'\nt = { [\"image\"] = 'zeta/lua:2' }\n", []string{"likely zeta/lua:1", "likely zeta/lua:2"}},
		{"template", "{{ range .Pods }}\n- sideImage: zeta/side:1\n  image: {{ .Image | default \"zeta/default:2\" }}\n" +
			"  images:\n  - zeta/listed:3\n{{ end }}\n",
			[]string{"candidate zeta/side:1", "candidate zeta/default:2", "candidate zeta/listed:3"}},
		{"list", "zeta/one:1\nzeta/two:2\n# the last\ndocker.io/zeta/three:3\n",
			[]string{"candidate zeta/one:1", "candidate zeta/two:2", "candidate docker.io/zeta/three:3"}},
		{"list on one line", "postgres:16.2,redis:v7.2", []string{"candidate postgres:16.2", "candidate redis:v7.2"}},
		{"same names again", "op --set image.repository=zeta/one --set image.tag=1.2\nop --set image.repository=zeta/two,image.tag=3\n",
			[]string{"likely zeta/one:1.2", "likely zeta/two:3"}},
		{"INI in parts", "[workers]\nworker_container_repository = zeta/worker\nworker_container_tag = 2.9.1\n",
			[]string{"likely zeta/worker:2.9.1"}},
		{"words", "for x in zeta/one:1 zeta/two:2; do run; done\nall=(zeta/three:3 zeta/four:4)\n",
			[]string{"candidate zeta/one:1", "candidate zeta/two:2", "candidate zeta/three:3", "candidate zeta/four:4"}},
		{"arguments of a shell", "image=\"${2:-zeta/second:1}\"\n", []string{"likely zeta/second:1"}},
		{"variable registry", "IMAGE=$REGISTRY/zeta/web:1\nsideImage: \"{{ .Registry }}/zeta/side:2\"\n",
			[]string{"candidate zeta/web:1", "candidate zeta/side:2"}},
		{"variable tag", "worker_image = \"zeta/worker:${var.tag}\"\nsideImage: zeta/side:{{ .Tag }}\nIMAGE=zeta/app:$TAG\n" +
			"helper_image = \"zeta/helper\"\n",
			[]string{"untagged zeta/worker", "untagged zeta/side", "untagged zeta/app", "untagged zeta/helper"}},
		{"text", "It runs ghcr.io/zeta/agent:1 beside zeta/other:2.\n", []string{"candidate ghcr.io/zeta/agent:1", "candidate zeta/other:2"}},
		{"comment", "# image: zeta/example:1\n# helper_image = \"zeta/example:2\"\nx = 1\n", []string{"candidate zeta/example:1"}},
	}
	for _, test := range tests {
		t.Run(test.format, func(t *testing.T) {
			t.Parallel()
			var got []string
			read := readText(test.text, Known{})
			for image, class := range read.found {
				got = append(got, string(class)+" "+image)
			}
			for image := range read.untagged {
				got = append(got, "untagged "+image)
			}
			checkLines(t, test.format, got, test.want)
		})
	}
}

// TestKnownArgumentInText holds that a flag which is known to be an image is one in
// a command line as well.
func TestKnownArgumentInText(t *testing.T) {
	t.Parallel()
	known := Known{Arguments: []KnownArgument{{Name: "--runtime"}}}
	for _, text := range []string{
		"exec op --runtime=zeta/runtime:1 --v=2", "op -runtime zeta/runtime:1", `CMD ["op", "--runtime", "zeta/runtime:1"]`,
	} {
		if found := readText(text, known).found; len(found) != 1 || found["zeta/runtime:1"] != Certain {
			t.Errorf("%q: got %v", text, found)
		}
	}
}

// TestNoImagesInTexts holds what looks like images, and is none.
func TestNoImagesInTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"image_proxy = http://images.example.com:8080/cache:1\n",
		"image: https://example.com/logo.png:1\n",
		"location /image/ { proxy_pass http://images.example.com:8080/v1:x; }\n",
		"background-image: url(data:image/png;base64,AAAA);\nborder-image: none;\n",
		"aspect_of_image = 16:9\nimage_port = 8080:80\n",
		"image = get_image(name)\nimage_name = f\"{a}:{b}\"\nimage_tag = tag_of(x)\n",
		"image_pull_policy = IfNotPresent\nimage_pull_secrets = ns/secret\n",
		"the image: see docs for it\nimage = none\n",
		"container_memory{image!=\"\", container!=\"POD\"} / on(image) x:y:z\n",
		"image_path = /var/lib/images/disk:1\nimageDir: ./images:ro\n",
		"docker run -v a:/b -p 80:80 --name c \"$IMAGE\"\nkubectl run x\n",
		"git clone https://github.com/zeta/image:main\nimage_source = git@github.com:zeta/image.git\n",
		"SELECT image FROM table_a WHERE x = 'a:b'\nFROM users\n",
		"git:4.2.2\nkubernetes:1.25.7\n",
		"a:8080,b:8081 c:http",
		"if ($image) { return 301 https://$host:8443/image:1; }\n",
	} {
		if read := readText(text, Known{}); len(read.found)+len(read.untagged) > 0 {
			t.Errorf("%q: got %v, %v", text, read.found, read.untagged)
		}
	}
}

// FuzzImagesInText holds that whatever is found is a reference, and that it is
// found in the text.
func FuzzImagesInText(f *testing.F) {
	for _, seed := range []string{
		"[a]\nimage = \"b/c:1\"", "}{{ image: x:1 }}", "<image>a:1</image>", "${IMAGE:-a/b:1}", "a {\nimage {\nname = b\ntag = 1\n}", "FROM a:1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for image := range readText(text, Known{}).found {
			if !isReference(image) {
				t.Errorf("%q in %q is no reference", image, text)
			}
		}
	})
}
