import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onThemeChange } from "../theme";

export interface ChartSeries {
  readonly name: string;
  /** The accent, or what stands back from it. */
  readonly tone: "accent" | "ink";
  readonly dashed?: boolean;
}

export interface ChartProps {
  readonly label: string;
  readonly axis: string;
  readonly series: readonly ChartSeries[];
  /** The x of all series, then one column a series. */
  readonly columns: readonly [readonly number[], ...(readonly (number | null)[])[]];
  readonly format: (value: number | null) => string;
  readonly formatX?: (value: number) => string;
  readonly height?: number;
  /** Whether the axis begins at 0 wherever the first point is. */
  readonly fromZero?: boolean;
}

/** The colour that a variable of the style sheet stands for at the moment. */
function colourOf(element: HTMLElement, variable: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** Curves over an axis. They are drawn anew only where their number changes; new points are put into what is there. */
export function Chart(props: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = JSON.stringify([props.series, props.axis]);
  useEffect(() => {
    const element = frame.current;
    if (!element) {
      return;
    }
    const draw = (): void => {
      plot.current?.destroy();
      const { series, columns, format, formatX, axis, height = 200, fromZero = false } = latest.current;
      const accent = colourOf(element, "--accent");
      const ink = colourOf(element, "--ink-soft");
      const line = colourOf(element, "--line");
      const font = `12px ${getComputedStyle(element).fontFamily}`;
      const axes = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
      plot.current = new uPlot(
        {
          width: Math.max(160, element.clientWidth),
          height,
          scales: { x: { time: false, ...(fromZero ? { range: (_: uPlot, __: number, last: number): uPlot.Range.MinMax => [0, Math.max(1, last)] } : {}) } },
          cursor: { y: false, points: { size: 6 } },
          legend: { live: true, markers: { width: 2, fill: () => "transparent", stroke: (_, index) => (series[index - 1]?.tone === "accent" ? accent : ink), dash: (_, index) => (series[index - 1]?.dashed ? "dashed" : "solid") } },
          axes: [
            { ...axes, size: 32, ...(formatX ? { values: (_, values) => values.map((value) => formatX(value)) } : {}) },
            { ...axes, size: 56, values: (_, values) => values.map((value) => format(value)) },
          ],
          series: [
            { label: axis, value: (_, value: number | null) => (value === null ? "–" : (formatX?.(value) ?? String(Math.round(value * 100) / 100))) },
            ...series.map((one) => ({
              label: one.name,
              stroke: one.tone === "accent" ? accent : ink,
              width: 1.75,
              spanGaps: true,
              ...(one.dashed ? { dash: [5, 4] } : {}),
              points: { show: (_: uPlot, index: number) => index > 0 && latest.current.columns[0].length <= 40, size: 5 },
              value: (_: uPlot, value: number | null) => format(value),
            })),
          ],
        },
        columns as unknown as uPlot.AlignedData,
        element,
      );
    };
    draw();
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(160, element.clientWidth), height: latest.current.height ?? 200 }));
    resize.observe(element);
    const stop = onThemeChange(draw);
    return () => {
      stop();
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    plot.current?.setData(props.columns as unknown as uPlot.AlignedData);
  }, [props.columns]);
  return <div class="chart" role="img" aria-label={props.label} ref={frame} />;
}
