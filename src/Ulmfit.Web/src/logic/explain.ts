import type { Classified, Explained, ExplainedToken, LabelScore } from "../api/types";

/** A piece of the text, with how much it spoke for the class; pieces between words have none. */
export interface Piece {
  readonly text: string;
  readonly contribution: number | null;
}

/** Cuts a text into the words that were weighed and what stands between them. Tokens that overlap or lie outside are left out. */
export function piecesOf(text: string, tokens: readonly ExplainedToken[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const token of [...tokens].sort((a, b) => a.start - b.start)) {
    if (token.start < at || token.end > text.length || token.end <= token.start) {
      continue;
    }
    if (token.start > at) {
      pieces.push({ text: text.slice(at, token.start), contribution: null });
    }
    pieces.push({ text: text.slice(token.start, token.end), contribution: token.contribution });
    at = token.end;
  }
  if (at < text.length) {
    pieces.push({ text: text.slice(at), contribution: null });
  }
  return pieces;
}

/** The words that spoke most, in either direction, greatest first. */
export function strongest(pieces: readonly Piece[], most: number): (Piece & { readonly contribution: number })[] {
  return pieces
    .filter((piece): piece is Piece & { readonly contribution: number } => piece.contribution !== null && piece.contribution !== 0)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, most);
}

/** The first answer, whichever of its two shapes it has. */
export function answerOf(classified: Classified): Explained {
  const first = classified.predictions[0] ?? [];
  return "predictions" in first ? first : { predictions: first as readonly LabelScore[], explanation: null };
}
