import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Comment } from "../../src/ports.ts";
import { type StickyHost, stick } from "../../src/review/sticky.ts";

function room(login = "github-actions[bot]") {
  let comments: Comment[] = [];
  let id = 0;
  const calls: string[] = [];
  let fails = 0;
  const may = (): void => {
    if (fails === 0) return;
    fails -= 1;
    if (fails === 0) throw new Error("gone");
  };
  const host: StickyHost = {
    login: async () => login,
    allComments: async () => [...comments],
    async createComment(_repository, _number, body) {
      may();
      calls.push("create");
      const comment = {
        id: ++id,
        url: `u${id}`,
        author: login,
        bot: login.endsWith("[bot]"),
        body,
        createdAt: "",
        updatedAt: "",
      };
      comments.push(comment);
      return comment;
    },
    async updateComment(_repository, which, body) {
      may();
      calls.push("update");
      comments = comments.map((comment) => (comment.id === which ? { ...comment, body } : comment));
    },
    async deleteComment(_repository, which) {
      may();
      calls.push("delete");
      comments = comments.filter((comment) => comment.id !== which);
    },
  };
  return {
    host,
    calls,
    bodies: () => comments.map(({ body }) => body),
    write: (comment: Partial<Comment>) =>
      void comments.push({
        id: ++id,
        url: "",
        author: login,
        bot: true,
        body: "",
        createdAt: "",
        updatedAt: "",
        ...comment,
      }),
    failAt: (call: number) => {
      fails = call;
    },
  };
}
const place = { repository: "a/b", number: 1, name: "review", clean: "all clear" };

describe("the comment that is kept up to date", () => {
  it("says in the end exactly what was last to be said, whatever was said before, and at whichever write a run died", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }), fc.nat(4)), {
          minLength: 1,
          maxLength: 6,
        }),
        async (turns) => {
          const { host, bodies, failAt } = room();
          for (const [parts, dies] of turns) {
            failAt(dies);
            await stick(host, { ...place, parts }).catch(() => undefined);
          }
          failAt(0);
          const [parts = []] = turns.at(-1) ?? [];
          const before = bodies().length;
          await stick(host, { ...place, parts });
          const wanted = parts.length > 0 ? parts : before > 0 ? ["all clear"] : [];
          expect(bodies()).toEqual(
            wanted.map((text, index) => `<!-- stanch review v1 review ${index + 1}/${wanted.length} -->\n${text}\n`),
          );
        },
      ),
    );
  });

  it("writes nothing that stands there already, with whichever line ends", async () => {
    const { host, calls, write } = room();
    write({ body: "<!-- stanch review v1 review 1/1 -->\r\nhello\r\n" });
    await stick(host, { ...place, parts: ["hello"] });
    expect(calls).toEqual([]);
  });

  it("touches nobody else's: another author, another name, a marker that is not the first line, a person of the App's name", async () => {
    const { host, calls, write } = room();
    const marker = "<!-- stanch review v1 review 1/1 -->\n";
    write({ author: "mallory", bot: false, body: `${marker}x` });
    write({ author: "github-actions", bot: false, body: `${marker}x` });
    write({ body: "<!-- stanch review v1 other 1/1 -->\nx" });
    write({ body: `> ${marker}x` });
    write({ body: `look: ${marker}x` });
    await stick(host, { ...place, parts: [] });
    expect(calls).toEqual([]);
    await stick(host, { ...place, parts: ["mine"] });
    expect(calls).toEqual(["create"]);
  });
});
