/** Manifests as people write them: each with a habit that has broken an editor of YAML somewhere. */
export const CORPUS: Readonly<Record<string, string>> = {
  "deployment two spaces": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  labels:
    app: cart
spec:
  replicas: 2
  selector:
    matchLabels:
      app: cart
  template:
    metadata:
      labels:
        app: cart
    spec:
      containers:
        - name: cart
          image: ghcr.io/shop/cart:1.4.2
          env:
            - name: PORT
              value: "8080"
            - name: MODE
              value: 'fast'
          resources:
            requests:
              memory: 64Mi
            limits:
              memory: 128Mi
              cpu: 500m
          ports:
            - containerPort: 8080
`,
  "kubectl style, lists at the key's column": `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - name: http
    port: 80
    targetPort: 8080
  - name: metrics
    port: 9090
  selector:
    app: web
`,
  "comments everywhere": `# top of file
apiVersion: apps/v1   # group
kind: Deployment
# before metadata
metadata:   # the name
  name: api
  # no labels yet

spec:
  # how many
  replicas: 3 # raised for Black Friday
  template:
    spec:
      containers:
        # main
        - name: api # same as the object
          image: api:1.0 # keep in step with the chart
          # - name: old
          #   value: x
          env:
            # first
            - name: A
              value: one # 1

            # second
            - name: B
              value: two
            # - name: C
            #   value: three

          # last words
# end
`,
  "odd indents": `apiVersion: apps/v1
kind: Deployment
metadata:
      name: odd
spec:
   replicas: 1
   template:
         spec:
             containers:
             -   name: odd
                 image: "odd:1"
                 resources:
                    limits: {cpu: '1', memory: 128Mi}   # tuned in May
                    requests: { cpu: 100m }
`,
  "flow style": `{apiVersion: v1, kind: ConfigMap, metadata: {name: flow, labels: {a: b}}, data: {k: v, n: "1"}}
`,
  "flow over several lines": `apiVersion: v1
kind: Pod
metadata: {
  name: many,
  labels: {a: b,
    c: d}
}
spec:
  containers:
    - name: a
      image: a:1
      command: ["sh",
        "-c",
        "sleep 1"]
      args: [
        --one,
        --two=2
      ]
`,
  "multi-doc": `---
# the namespace
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-config}
data:
  url: http://a:80/x?y=1
  empty: ""
---
# nothing here
---
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  type: ClusterIP
...
`,
  list: `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: one
  data:
    a: "1"
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: two
  data:
    b: "2"
`,
  crlf: 'apiVersion: v1\r\nkind: ConfigMap\r\nmetadata:\r\n  name: dos # comment\r\ndata:\r\n  a: "1"\r\n  b: two\r\n  c: |\r\n    line one\r\n    line two\r\n',
  bom: "\uFEFFapiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bom\ndata:\n  a: x\n",
  "bom and crlf": "\uFEFFkind: ConfigMap\r\napiVersion: v1\r\nmetadata: {name: both}\r\n",
  "emoji and CJK": `apiVersion: v1
kind: ConfigMap
metadata:
  name: emoji
  annotations:
    owner: "🦊 team 狐"
data:
  greeting: 你好 🌍
  after: ascii # 🎉 done
  "quoted 键": v
`,
  "no final newline": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cut\ndata:\n  last: value",
  "anchors and aliases": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: anchored
  labels: &labels
    app: anchored
    tier: web
spec:
  selector:
    matchLabels: *labels
  replicas: &count 2
  template:
    metadata:
      labels: *labels
    spec:
      containers:
        - &main
          name: main
          image: main:1
`,
  "block scalars": `apiVersion: v1
kind: ConfigMap
metadata:
  name: files
data:
  app.conf: |
    # comment of the payload
    port = 80
      indented = yes

    last = 1
  folded: >-
    one
    two
  stripped: |-
    x
  after: 1.5.0
`,
  "kept block": `data:
  a: |+
    text

  b: x
kind: ConfigMap
apiVersion: v1
`,
  "empty values": `apiVersion: v1
kind: Pod
metadata:
  name: empty
  labels:
  annotations: {}
spec:
  nodeSelector:   # none
  tolerations: []
  containers:
    - name: a
      image: a
      resources: {}
      env:
  volumes:
`,
  kustomization: `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop

resources:
  - ../../base
  # - ../../extra
images:
  - name: shop/cart
    newTag: 1.4.2
  - name: shop/web
    newName: ghcr.io/shop/web
    digest: sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3
replicas:
  - {name: cart, count: 3}
configMapGenerator:
  - name: cart
    literals:
      - LOG_LEVEL=info
      - "GREETING=hello world"
    files: [a.txt]
patches:
  - path: mem.yaml
    target: {kind: Deployment, name: cart}
  - target:
      kind: Deployment
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: shop/cart:2
`,
  "strings that look typed": `a: "yes"
b: 'no'
c: "1.10"
d: '012'
e: "1e3"
f: 0x1F
g: 1_000
h: "2024-01-01"
i: "null"
j: ~
k: true
l: .5
m: "12:30"
nn: 1.2.3
o: 12e4567x
`,
  "quoted keys": `"a b": 1
'c: d': 2
"e/f": {"g": 3, "h": [1, 2]}
? simple
: yes-it-is
`,
  "nested lists": `matrix:
  - - 1
    - 2
  - - 3
    - 4
  - []
mixed:
  -
    a: 1
    b: 2
  - - c: 3
      d: 4
    - e
`,
  "comment directly under a key": `spec:
  # limits follow
  resources:
    # measured in June

    limits:
      # memory first
      memory: 1Gi

      cpu: "2"
other: x
`,
  "wide spaces": `a:    1      # one
bb:   two    # two
list:
  -    x
  -    w: 1
       z: 2
`,
  directive: `%YAML 1.1
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: directive
data:
  k: v
`,
  json: `{
  "apiVersion": "v1",
  "kind": "ConfigMap",
  "metadata": {
    "name": "json",
    "labels": {}
  },
  "data": {
    "a": "1",
    "b": "two"
  },
  "list": [
    {
      "x": 1
    },
    2
  ]
}
`,
  "json on one line": `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"data":{"a":"1"},"e":[]}
`,
  "json with tabs": `{\n\t"kind": "ConfigMap",\n\t"metadata": {\n\t\t"name": "tabs"\n\t}\n}\n`,
  "blank lines at the end": `kind: ConfigMap\napiVersion: v1\ndata:\n  a: b\n\n\n\n`,
  "long plain and special characters": `args:
  - --listen=0.0.0.0:8080
  - --flags=a,b,c
  - -v
  - $(HOST):$(PORT)
  - 'it''s'
  - "tab\\tand \\u00e9"
  - sh -c "echo hi"
url: https://user@example.com:8443/a?b=c&d=e#frag
glob: "*.yaml"
percent: 50%
version: v1.30.0+k3s1
date: 2024-13
`,
  "helm release": `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: podinfo
spec:
  interval: 5m
  chart: {spec: {chart: podinfo, version: 6.x}}
  values:
    replicaCount: 2
    image:
      tag: 6.5.0
    ingress:
      enabled: true
      hosts:
        - host: a.example.com
          paths: [{path: /, pathType: Prefix}]
`,
  "trailing spaces": "a: 1   \nb:   \n  c: x  \n  d:  \nlist:  \n  - w  \n  - z\n",
};
