using System.Security.Cryptography;
using System.Text;

namespace Ulmfit.Reports;

/// <summary>
/// The style sheet of a report. Colours are of Okabe and Ito's palette, which people who see colours differently can tell
/// apart, darkened or lightened to stand out on either background.
/// </summary>
internal static class ReportStyle
{
    private const string Colours = """

        :root { color-scheme: light dark; --page: #ffffff; --panel: #f6f7f9; --text: #1b1f24; --soft: #57606a; --rule: #d8dee4; --band: #eef1f4; --a: #0072b2; --b: #c24e00; --c: #00795a; --d: #9a3b7d; --on-strong: #ffffff; --on-middle: #1b1f24; }
        @media (prefers-color-scheme: dark) { :root { --page: #14171a; --panel: #1d2126; --text: #e8eaed; --soft: #a8b0b9; --rule: #373e47; --band: #20252b; --a: #56b4e9; --b: #f0a02e; --c: #35c79d; --d: #e08fc4; --on-strong: #101214; --on-middle: #101214; } }
        @media print { :root { color-scheme: light; --page: #ffffff; --panel: #ffffff; --text: #000000; --soft: #444444; --rule: #cccccc; --band: #f0f0f0; --a: #0072b2; --b: #c24e00; --c: #00795a; --d: #9a3b7d; --on-strong: #ffffff; --on-middle: #000000; } }

        """;

    private const string Plots = """
        svg text { fill: var(--text); }
        svg text:not([font-size]) { font-size: 12.5px; }
        svg .tick, svg .label { fill: var(--soft); }
        .grid { stroke: var(--rule); stroke-width: 1; fill: none; }
        .axis { stroke: var(--soft); stroke-width: 1; }
        .border { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
        .band { fill: var(--band); }
        .line-a { stroke: var(--a); stroke-width: 1.8; fill: none; stroke-linejoin: round; }
        .line-b { stroke: var(--b); stroke-width: 1.8; fill: none; stroke-dasharray: 5 4; }
        .line-c { stroke: var(--c); stroke-width: 1.8; fill: none; stroke-dasharray: 2 3; }
        .line-d { stroke: var(--d); stroke-width: 1.8; fill: none; stroke-dasharray: 7 3 2 3; }
        .range { stroke-width: 1.2; stroke-dasharray: none; stroke-opacity: 0.6; }
        .marker-a { fill: var(--a); }
        .marker-b { fill: var(--b); stroke: var(--page); stroke-width: 1; }
        .marker-c { fill: var(--c); stroke: var(--page); stroke-width: 1; }
        .marker-d { fill: var(--d); stroke: var(--page); stroke-width: 1; }
        .target { fill: transparent; }

        """;

    /// <summary>The style of a chart that is a file of its own.</summary>
    public const string File = Colours + "svg { font-family: system-ui, sans-serif; }\n.page { fill: var(--page); }\n" + Plots;

    /// <summary>The style of a report.</summary>
    public const string Sheet = Colours + """
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell, "Helvetica Neue", Arial, sans-serif; }
        body { overflow-wrap: anywhere; }
        header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 16px; }
        header { padding-top: 28px; }
        footer { color: var(--soft); font-size: 14px; padding-top: 16px; padding-bottom: 32px; }
        h1 { font-size: 28px; line-height: 1.25; margin: 0 0 4px; }
        h2 { font-size: 21px; margin: 44px 0 12px; padding-top: 12px; border-top: 2px solid var(--rule); }
        h3 { font-size: 17px; margin: 26px 0 8px; }
        h4 { font-size: 15px; margin: 22px 0 4px; }
        .grid2 h4 { margin-top: 0; }
        p { margin: 6px 0 12px; max-width: 76ch; }
        .soft, figcaption { color: var(--soft); font-size: 14px; }
        a { color: var(--a); }
        nav ul { list-style: none; padding: 0; margin: 12px 0 0; display: flex; flex-wrap: wrap; gap: 4px 20px; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 20px 0 0; padding: 0; }
        .tiles div { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; }
        .tiles dt { color: var(--soft); font-size: 14px; }
        .tiles dd { margin: 0; font-size: 24px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
        .tiles .small { display: block; font-size: 13px; font-weight: 400; color: var(--soft); }
        .grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px 28px; align-items: start; }
        .grid2 > * { min-width: 0; }
        .beside { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 0 48px; }
        .beside > * { min-width: 0; max-width: 100%; }
        figure { margin: 0; }
        .beside figcaption { width: 0; min-width: 100%; }
        .scroll { overflow-x: auto; max-width: 100%; }
        table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--soft); padding: 0 0 6px; }
        th, td { padding: 4px 10px; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: top; }
        thead th, thead td { border-bottom: 2px solid var(--rule); vertical-align: bottom; overflow-wrap: normal; }
        th { font-weight: 600; }
        td { white-space: nowrap; overflow-wrap: normal; }
        th[scope=row], .words { text-align: left; }
        td.words, .facts td { white-space: normal; overflow-wrap: anywhere; }
        tbody th[scope=row] { font-weight: 400; min-width: 9ch; max-width: 40ch; }
        .classes tbody th[scope=row] { min-width: 14ch; }
        .digest { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px; overflow-wrap: anywhere; }
        .facts th[scope=row] { color: var(--soft); width: 16ch; min-width: 12ch; }
        .facts td { text-align: left; }
        .frozen { color: var(--soft); }
        .stages td, .stages thead th { text-align: center; min-width: 52px; padding: 4px 6px; }
        .stages thead th.words { text-align: left; }
        .stages .r1 { background: color-mix(in srgb, var(--a) 12%, var(--page)); }
        .stages .r2 { background: color-mix(in srgb, var(--a) 22%, var(--page)); }
        .stages .r3 { background: color-mix(in srgb, var(--a) 32%, var(--page)); }
        .stages .r4 { background: color-mix(in srgb, var(--a) 44%, var(--page)); }
        .meter { width: 90px; }
        .meter svg { display: block; width: 80px; height: 12px; margin-top: 5px; }
        .hardest { list-style: none; padding: 0; counter-reset: hard; }
        .hardest li { border-left: 3px solid var(--b); padding: 2px 0 2px 12px; margin: 0 0 16px; break-inside: avoid; }
        .hardest blockquote { margin: 0 0 2px; white-space: pre-wrap; }
        .hardest p { margin: 0; max-width: none; }
        .tag { font-weight: 600; }
        svg { display: block; font-family: inherit; }
        svg.plot { width: 100%; height: auto; max-width: 620px; }
        svg.square { max-width: 440px; }
        .bar { fill: var(--a); fill-opacity: 0.55; }
        .count { fill: var(--soft); fill-opacity: 0.6; }
        .diagonal { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 6 4; }
        .track { fill: var(--rule); }
        .fill { fill: var(--a); }
        .right { fill: var(--a); }
        .wrong { fill: var(--b); }
        svg .low { fill: var(--text); }
        svg .mid { fill: var(--on-middle); }
        svg .high { fill: var(--on-strong); }
        @media (max-width: 520px) { h1 { font-size: 24px; } th, td { padding: 4px 7px; } .tiles { grid-template-columns: repeat(2, 1fr); } .tiles dd { font-size: 20px; } .meter, .classes thead td { display: none; } .classes tbody th[scope=row] { min-width: 9ch; } }
        @media print {
          @page { margin: 14mm; }
          body { font-size: 11pt; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          nav { display: none; }
          header, main, footer { max-width: none; padding-left: 0; padding-right: 0; }
          h2, h3, h4 { break-after: avoid; }
          figure, tr, .tiles div { break-inside: avoid; }
          thead { display: table-header-group; }
          .scroll { overflow: visible; }
          svg.matrix { max-width: 100%; height: auto; max-height: 230mm; }
        }

        """ + Plots;

    /// <summary>What names this very style sheet in a content security policy.</summary>
    public static string Source { get; } = $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Sheet)))}'";
}
