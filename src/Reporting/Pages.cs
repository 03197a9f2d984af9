using System.Net;

namespace V2XSim.Reporting;

/// <summary>What pages have in common.</summary>
internal static class Pages
{
    /// <summary>Style of pages that are printed: sections with tables.</summary>
    public const string PrintedStyle =
        """
        body{font-family:system-ui,sans-serif;max-width:1180px;margin:24px auto;padding:0 16px;color:#1b2430;background:#f3f5f8}
        section{background:#fff;border:1px solid #d7dde4;border-radius:8px;padding:8px 16px 16px;margin:16px 0}h1{font-size:22px}h2{font-size:17px;margin:8px 0}
        table{border-collapse:collapse;font-size:13px}th,td{padding:3px 10px;text-align:right;border-bottom:1px solid #e3e8ee}th:first-child,td:first-child{text-align:left}
        @media print{body{background:#fff;margin:0;max-width:none}section{break-inside:avoid;border:0;padding:0}}
        """;

    public static string Escape(string text) => WebUtility.HtmlEncode(text);
}
