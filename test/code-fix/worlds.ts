import type { Scripted } from "../model/messages-api.ts";
import { answering, calls, edit, type FixWorld, read, search } from "./bench.ts";

/**
 * Programs with a fault that their log shows, and what a model might do about each. Nobody was asked: the answers are written by hand, so that
 * everything around them can be tested.
 */
export interface Program {
  readonly world: FixWorld;
  readonly script: readonly Scripted[];
  /** What a line of the file must be afterwards. */
  readonly becomes: { readonly file: string; readonly before: string; readonly after: string };
}

const NODE: Program = {
  world: {
    files: {
      "package.json": '{"name":"cart","type":"module","scripts":{"test":"node --test"}}\n',
      "src/total.js": `/** Price of a cart in cents. */
export function total(cart) {
  return cart.items.reduce((sum, item) => sum + item.price * item.count, 0);
}
`,
      "src/server.js": `import { total } from "./total.js";

export function handle(request) {
  return { status: 200, body: String(total(request.cart)) };
}
`,
      "test/total.test.js": `import assert from "node:assert";
import { test } from "node:test";
import { total } from "../src/total.js";

test("adds up", () => {
  assert.equal(total({ items: [{ price: 250, count: 2 }] }), 500);
});
test("a new cart has no items yet", () => {
  assert.equal(total({}), 0);
});
`,
      "README.md": "# Cart\n",
    },
    log: `listening on :8080
file:///app/src/total.js:3
  return cart.items.reduce((sum, item) => sum + item.price * item.count, 0);
                    ^

TypeError: Cannot read properties of undefined (reading 'reduce')
    at total (file:///app/src/total.js:3:21)
    at handle (file:///app/src/server.js:4:39)`,
  },
  script: [
    calls(read("src/total.js"), search("total(", "*.js")),
    calls(
      edit(
        "src/total.js",
        "  return cart.items.reduce((sum",
        "  const items = cart.items ?? [];\n  return items.reduce((sum",
      ),
    ),
    calls(["check", {}]),
    answering(
      { kind: "edited", summary: "A cart without items costs nothing." },
      [
        { id: "e1", quote: "Cannot read properties of undefined (reading 'reduce')" },
        { id: "t1", quote: "return cart.items.reduce((sum, item) => sum + item.price * item.count, 0);" },
      ],
      "total reads cart.items of a cart that has none yet.",
    ),
  ],
  becomes: {
    file: "src/total.js",
    before: "  return cart.items.reduce((sum, item) => sum + item.price * item.count, 0);\n",
    after:
      "  const items = cart.items ?? [];\n  return items.reduce((sum, item) => sum + item.price * item.count, 0);\n",
  },
};

const GO: Program = {
  world: {
    files: {
      "go.mod": "module acme.example/cart\n\ngo 1.25\n",
      "cmd/cart/main.go": `package main

import "acme.example/cart/internal/session"

func main() {
	session.Greet(session.Find("nobody"))
}
`,
      "internal/session/session.go": `package session

import "fmt"

type Session struct{ User string }

var all = map[string]*Session{}

// Find answers nil where there is none.
func Find(id string) *Session {
	return all[id]
}

func Greet(s *Session) {
	fmt.Println("hello", s.User)
}
`,
    },
    log: `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b2f1]

goroutine 1 [running]:
acme.example/cart/internal/session.Greet(...)
	/src/internal/session/session.go:15
main.main()
	/src/cmd/cart/main.go:6 +0x1d`,
  },
  script: [
    calls(["list", { folder: "internal" }], read("internal/session/session.go", 1, 17)),
    calls(
      edit(
        "internal/session/session.go",
        "func Greet(s *Session) {\n",
        'func Greet(s *Session) {\n\tif s == nil {\n\t\tfmt.Println("hello, stranger")\n\t\treturn\n\t}\n',
      ),
    ),
    answering(
      { kind: "edited", summary: "Greet greets who has no session as a stranger." },
      [
        { id: "e1", quote: "nil pointer dereference" },
        { id: "t2", quote: 'fmt.Println("hello", s.User)' },
      ],
      "Greet dereferences the nil that Find answers where there is no session.",
    ),
  ],
  becomes: {
    file: "internal/session/session.go",
    before: "func Greet(s *Session) {\n",
    after: 'func Greet(s *Session) {\n\tif s == nil {\n\t\tfmt.Println("hello, stranger")\n\t\treturn\n\t}\n',
  },
};

const PYTHON: Program = {
  world: {
    folder: "services/cart",
    files: {
      "services/cart/app/prices.py": `def price_of(item, prices):
    entry = prices.get(item)
    return entry["cents"]


def total(items, prices):
    return sum(price_of(item, prices) for item in items)
`,
      "services/cart/app/main.py": `from app.prices import total

print(total(["tea", "milk"], {"tea": {"cents": 120}}))
`,
      "services/other/prices.py": "def price_of(item, prices):\n    return 1\n",
    },
    log: `Traceback (most recent call last):
  File "/app/app/main.py", line 3, in <module>
    print(total(["tea", "milk"], {"tea": {"cents": 120}}))
  File "/app/app/prices.py", line 7, in total
    return sum(price_of(item, prices) for item in items)
  File "/app/app/prices.py", line 3, in price_of
    return entry["cents"]
TypeError: 'NoneType' object is not subscriptable`,
  },
  script: [
    calls(search("price_of"), read("services/cart/app/prices.py")),
    calls(
      edit(
        "services/cart/app/prices.py",
        '    entry = prices.get(item)\n    return entry["cents"]\n',
        '    entry = prices.get(item)\n    if entry is None:\n        raise KeyError(f"no price of {item}")\n    return entry["cents"]\n',
      ),
    ),
    answering(
      { kind: "edited", summary: "An item without a price is named." },
      [
        { id: "e1", quote: "'NoneType' object is not subscriptable" },
        { id: "t2", quote: "entry = prices.get(item)" },
      ],
      "price_of takes the cents of an entry that prices.get does not have.",
    ),
  ],
  becomes: {
    file: "services/cart/app/prices.py",
    before: '    return entry["cents"]\n',
    after: '    if entry is None:\n        raise KeyError(f"no price of {item}")\n    return entry["cents"]\n',
  },
};

export const PROGRAMS: Readonly<Record<string, Program>> = { node: NODE, go: GO, python: PYTHON };
