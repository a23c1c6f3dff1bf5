import { z } from "zod";

export const count = (fallback: number, description: string, least = 0) =>
  z.number().int().min(least).default(fallback).describe(description);
export const globs = (fallback: string[], description: string) =>
  z.array(z.string().min(1)).default(fallback).describe(description);
/** An object whose every field has a default, so that leaving it out means all of them. */
export const section = <T extends z.ZodRawShape>(shape: T, description: string) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description);

/** A folder inside a repository: it climbs out of nothing, and is none of Git's own. */
export const inside = (path: string): boolean =>
  path.split("/").every((part) => part !== ".." && part.toLowerCase() !== ".git");
export const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
export const isQuantity = (text: string): boolean => /^\d+(\.\d+)?([KMGTPE]i|[mkMGTPE]|e\d+)?$/.test(text);
/** Git writes them into one line, between angle brackets. */
export const isIdentity = (text: string): boolean => /^[^\p{Cc}<>]+$/u.test(text);
