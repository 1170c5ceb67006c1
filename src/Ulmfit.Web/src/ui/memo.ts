import { Component, type FunctionComponent, h, type VNode } from "preact";

/** Draws a component again only where one of its properties has changed (preact/compat has more of the same than is needed here). */
export function memo<P extends object>(of: FunctionComponent<P>): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const now = this.props as P;
      return (Object.keys({ ...now, ...next }) as (keyof P)[]).some((name) => now[name] !== next[name]);
    }

    override render(): VNode {
      return h(of as FunctionComponent<object>, this.props as object);
    }
  }
  return Memo as unknown as FunctionComponent<P>;
}
