/** A message of a stream of server-sent events. */
export interface StreamMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string | null;
}

/** Reads the text of a stream piece by piece, however it is cut (HTML, "server-sent events": parsing an event stream). */
export class EventStreamReader {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private id: string | null = null;
  private began = false;

  /** The messages that a further piece completes. */
  read(piece: string): StreamMessage[] {
    this.rest += piece;
    if (!this.began && this.rest.length > 0) {
      this.began = true;
      this.rest = this.rest.replace(/^\uFEFF/, "");
    }
    const found: StreamMessage[] = [];
    for (;;) {
      const end = this.rest.search(/[\r\n]/);
      // A CR at the very end may be the first half of CR LF.
      if (end < 0 || (this.rest[end] === "\r" && end === this.rest.length - 1)) {
        return found;
      }
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + (this.rest.startsWith("\r\n", end) ? 2 : 1));
      const message = this.take(line);
      if (message) {
        found.push(message);
      }
    }
  }

  private take(line: string): StreamMessage | null {
    if (line === "") {
      const message = this.data.length > 0 ? { event: this.event || "message", data: this.data.join("\n"), id: this.id } : null;
      this.event = "";
      this.data = [];
      return message;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") {
      this.event = value;
    } else if (field === "data") {
      this.data.push(value);
    } else if (field === "id" && !value.includes("\0")) {
      this.id = value;
    }
    return null;
  }
}
