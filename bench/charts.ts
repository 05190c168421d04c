/**
 * What was measured, as pictures.
 *
 * @module
 */
import { type EChartsOption, init } from "echarts";
import type { Growth } from "./rows/growth.ts";
import type { Row } from "./results.ts";

const OURS = "#2563eb";
const THEIRS = "#9ca3af";
const BUDGET = "#dc2626";
const TEXT = "#6b7280";

const common = {
  animation: false,
  textStyle: { fontFamily: "system-ui, sans-serif", color: TEXT },
} satisfies EChartsOption;

/** The ratios, each with its quartiles; a line shows what they may come to. */
export function drawRatios(rows: readonly Row[]): string {
  const ratios = rows.filter(({ as }) => as === "ratio").toReversed();
  const names = ratios.map(({ what, against, where }) =>
    `${what}, against ${against} (${where})`.replaceAll("`", "")
  );
  const point = (value: number, i: number) => [value, i];
  const highest = Math.max(...ratios.map(({ compared }) => compared.high));
  return draw(900, 60 + ratios.length * 26, {
    ...common,
    title: {
      text: "What this package costs: ours in relation to the same work without it",
      textStyle: { fontSize: 14, color: TEXT },
    },
    grid: { left: 490, right: 30, top: 40, bottom: 30 },
    xAxis: {
      type: "value",
      min: 0.8,
      max: Math.ceil(highest * 10) / 10,
      axisLabel: { color: TEXT },
    },
    yAxis: {
      type: "category",
      data: names,
      axisLabel: { color: TEXT, width: 480, overflow: "truncate" },
    },
    series: [
      {
        type: "custom",
        data: ratios.map(({ compared }, i) => [compared.low, compared.high, i]),
        renderItem: (_params, api) => {
          const [x1, y] = api.coord([api.value(0), api.value(2)]) as [number, number];
          const [x2] = api.coord([api.value(1), api.value(2)]) as [number, number];
          return {
            type: "line",
            shape: { x1, x2, y1: y, y2: y },
            style: { stroke: OURS, lineWidth: 3, opacity: 0.4 },
          };
        },
      },
      {
        type: "scatter",
        symbolSize: 9,
        itemStyle: { color: OURS },
        data: ratios.map(({ compared }, i) => point(compared.median, i)),
        label: {
          show: true,
          position: "top",
          distance: 2,
          fontSize: 10,
          color: TEXT,
          formatter: ({ value }) => (value as number[])[0]!.toFixed(2),
        },
        markLine: {
          symbol: "none",
          silent: true,
          label: { show: false },
          data: [{ xAxis: 1, lineStyle: { color: TEXT, type: "solid" } }],
        },
      },
      {
        type: "scatter",
        symbol: "rect",
        symbolSize: [2, 16],
        itemStyle: { color: BUDGET },
        data: ratios.flatMap(({ budget }, i) =>
          budget ? [point("most" in budget ? budget.most : budget.least, i)] : []
        ),
      },
    ],
  });
}

/** What one more sign-in costs, and a socket's heap, under several loads. */
export function drawGrowth(growth: readonly Growth[]): string {
  const names = growth.map(({ name }) => name);
  const bars = (index: number, read: (one: Growth, side: "ours" | "theirs") => number) =>
    (["ours", "theirs"] as const).map((side) => ({
      type: "bar" as const,
      name: side === "ours" ? "this package" : "by hand",
      xAxisIndex: index,
      yAxisIndex: index,
      itemStyle: { color: side === "ours" ? OURS : THEIRS },
      data: growth.map((one) => Math.round(read(one, side))),
      label: { show: true, position: "top" as const, fontSize: 9, color: TEXT },
    }));
  const axis = (gridIndex: number, name: string) => ({
    type: "value" as const,
    gridIndex,
    name,
    nameTextStyle: { align: "left" as const },
    axisLabel: { color: TEXT },
  });
  const category = (gridIndex: number) => ({
    type: "category" as const,
    gridIndex,
    data: names,
    axisLabel: { color: TEXT, interval: 0, width: 110, overflow: "break" as const },
  });
  return draw(900, 560, {
    ...common,
    legend: { top: 0, itemGap: 40, textStyle: { color: TEXT } },
    grid: [{ left: 60, right: 20, top: 50, height: 180 }, {
      left: 60,
      right: 20,
      top: 320,
      height: 180,
    }],
    xAxis: [category(0), category(1)],
    yAxis: [axis(0, "µs for one more sign-in"), axis(1, "bytes of heap for each socket")],
    series: [
      ...bars(0, (one, side) => one[side].signIn),
      ...bars(1, (one, side) => one[side].heap),
    ],
  });
}

function draw(width: number, height: number, option: EChartsOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  // It keeps the process alive otherwise.
  chart.dispose();
  return svg;
}
