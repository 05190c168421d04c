/**
 * What was measured, as pictures. A picture has a background of its own, so that it can be read on
 * a dark page, too.
 *
 * @module
 */
import { type EChartsOption, init, type SeriesOption } from "echarts";
import type { Growth } from "./rows/growth.ts";
import type { Row } from "./results.ts";

const OURS = "#2563eb";
const THEIRS = "#9ca3af";
const BUDGET = "#dc2626";
const TEXT = "#374151";
const LINE = "#e5e7eb";

const ROW_HEIGHT = 26;

/** Rows by the names that the tables have for them, in words for a picture. */
const WORDS: Readonly<Record<string, string>> = {
  "two steps": "Sign-in by a message",
  "`handshake`": "Sign-in in the handshake",
  "`handshake` of a JWT": "JWT in the handshake",
  "`handshake` with `./jwt`": "JWT in the handshake, with ./jwt",
  "`socketio-auth` on socket.io 2": "The original module, on Socket.IO 2",
  "events in": "Events received",
  "broadcasts out": "Broadcasts sent",
  "an event, by hand": "an event handler by hand",
  "an event, a deadline and a guard, by hand": "one by hand with deadline and guard",
  "`io.use`, by hand": "io.use by hand",
  "`io.use` and an event, by hand": "io.use and an event by hand",
  "an event, by hand, on socket.io 2": "an event handler by hand",
};

const inWords = (name: string): string => WORDS[name] ?? name.replaceAll("`", "");

const common = {
  animation: false,
  backgroundColor: "#ffffff",
  textStyle: { fontFamily: "system-ui, sans-serif", color: TEXT },
} satisfies EChartsOption;

/** The ratios with their quartiles and budgets: costs above, throughput below. */
export function drawRatios(rows: readonly Row[]): string {
  const ratios = rows.filter(({ as }) => as === "ratio");
  const isThroughput = ({ budget }: Row) => budget !== undefined && "least" in budget;
  const panels = [
    {
      title: "Processor time of the server: less is better",
      rows: ratios.filter((row) => !isThroughput(row)),
    },
    {
      title: "Events for each second of processor time: more is better",
      rows: ratios.filter(isThroughput),
    },
  ].map((panel) => ({ ...panel, rows: panel.rows.toReversed() }));
  const highest = Math.max(...ratios.map(({ compared }) => compared.high));
  let top = 110;
  const grids = panels.map(({ rows }) => {
    const grid = { left: 500, right: 60, top, height: rows.length * ROW_HEIGHT };
    top += grid.height + 80;
    return grid;
  });
  const title =
    "What a sign-in and an event cost with this package, compared with the same work by hand";
  return draw(960, top - 20, title, {
    ...common,
    title: [
      { text: title, left: 16, top: 12, textStyle: { fontSize: 15, color: TEXT } },
      ...panels.map(({ title }, i) => ({
        text: title,
        left: 16,
        top: grids[i]!.top - 34,
        textStyle: { fontSize: 13, color: TEXT },
      })),
    ],
    legend: {
      top: 40,
      left: 16,
      itemGap: 50,
      textStyle: { color: TEXT },
      data: ["median ratio", "middle half of the rounds", "budget"],
    },
    grid: grids,
    xAxis: panels.map((_, gridIndex) => ({
      type: "value",
      gridIndex,
      min: 0.8,
      max: Math.ceil(highest * 10) / 10,
      axisLabel: { color: TEXT, formatter: (value: number) => `${value.toFixed(1)} ×` },
      splitLine: { lineStyle: { color: LINE } },
    })),
    yAxis: panels.map(({ rows }, gridIndex) => ({
      type: "category",
      gridIndex,
      data: rows.map(({ what, against, where }) =>
        `${inWords(what)}, compared with ${inWords(against)} (${where})`
      ),
      axisLabel: { color: TEXT, fontSize: 11 },
    })),
    series: panels.flatMap(({ rows }, i) => drawPanel(rows, i)),
  });
}

function drawPanel(rows: readonly Row[], axis: number): SeriesOption[] {
  const place = { xAxisIndex: axis, yAxisIndex: axis };
  return [
    {
      ...place,
      type: "custom",
      name: "middle half of the rounds",
      itemStyle: { color: "#93c5fd" },
      data: rows.map(({ compared }, i) => [compared.low, compared.high, i]),
      encode: { x: [0, 1], y: 2 },
      renderItem: (_params, api) => {
        const [x1, y] = api.coord([api.value(0), api.value(2)]) as [number, number];
        const [x2] = api.coord([api.value(1), api.value(2)]) as [number, number];
        return {
          type: "rect",
          shape: { x: x1, width: x2 - x1, y: y - 4, height: 8 },
          style: { fill: "#93c5fd" },
        };
      },
    },
    {
      ...place,
      type: "scatter",
      name: "budget",
      symbol: "rect",
      symbolSize: [3, 18],
      itemStyle: { color: BUDGET },
      data: rows.flatMap(({ budget }, i) =>
        budget ? [["most" in budget ? budget.most : budget.least, i]] : []
      ),
    },
    {
      ...place,
      type: "scatter",
      name: "median ratio",
      symbolSize: 9,
      itemStyle: { color: OURS },
      data: rows.map(({ compared }, i) => [compared.median, i]),
      markLine: {
        symbol: "none",
        silent: true,
        label: { show: false },
        data: [{ xAxis: 1, lineStyle: { color: TEXT, type: "solid" } }],
      },
    },
    {
      ...place,
      // The numbers stand behind the bars, where no line runs through them.
      type: "scatter",
      name: "number",
      symbolSize: 1,
      itemStyle: { color: "transparent" },
      data: rows.map(({ compared }, i) => [compared.high, i, compared.median]),
      label: {
        show: true,
        position: "right",
        color: TEXT,
        fontSize: 11,
        backgroundColor: "#ffffff",
        padding: [1, 3],
        formatter: ({ value }) => (value as number[])[2]!.toFixed(2),
      },
    },
  ];
}

/** What one more sign-in costs, and a socket's heap, under several loads. */
export function drawGrowth(growth: readonly Growth[]): string {
  const names = growth.map(({ name }) => name);
  const sides = { ours: "with this package", theirs: "the same by hand" } as const;
  const bars = (index: number, read: (one: Growth, side: "ours" | "theirs") => number) =>
    (["ours", "theirs"] as const).map((side) => ({
      type: "bar" as const,
      name: sides[side],
      xAxisIndex: index,
      yAxisIndex: index,
      itemStyle: { color: side === "ours" ? OURS : THEIRS },
      data: growth.map((one) => Math.round(read(one, side))),
      label: { show: true, position: "top" as const, fontSize: 10, color: TEXT },
    }));
  const axis = (gridIndex: number) => ({
    type: "value" as const,
    gridIndex,
    axisLabel: { color: TEXT },
    splitLine: { lineStyle: { color: LINE } },
  });
  const category = (gridIndex: number) => ({
    type: "category" as const,
    gridIndex,
    data: names,
    axisLabel: { color: TEXT, interval: 0, width: 125, overflow: "break" as const },
  });
  const grid = { left: 70, right: 20, height: 170 };
  const title = "A sign-in and a socket while other things are there";
  const heading = (text: string, top: number) => {
    return { text, left: 16, top, textStyle: { fontSize: 13, color: TEXT } };
  };
  return draw(960, 620, title, {
    ...common,
    title: [
      { text: title, left: 16, top: 12, textStyle: { fontSize: 15, color: TEXT } },
      heading("Microseconds of processor time for one more sign-in: less is better", 76),
      heading("Bytes of heap for each socket: less is better", 346),
    ],
    legend: { top: 42, left: 16, itemGap: 40, textStyle: { color: TEXT } },
    grid: [{ ...grid, top: 115 }, { ...grid, top: 385 }],
    xAxis: [category(0), category(1)],
    yAxis: [axis(0), axis(1)],
    series: [
      ...bars(0, (one, side) => one[side].signIn),
      ...bars(1, (one, side) => one[side].heap),
    ],
  });
}

function draw(width: number, height: number, title: string, option: EChartsOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  // It keeps the process alive otherwise.
  chart.dispose();
  // For screen readers, and where a browser opens the picture by itself.
  return svg.replace(/^<svg([^>]*)>/, `<svg role="img"$1>\n<title>${title}</title>`);
}
