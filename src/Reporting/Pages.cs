using System.Net;

namespace V2XSim.Reporting;

/// <summary>What pages have in common.</summary>
internal static class Pages
{
    public static string Escape(string text) => WebUtility.HtmlEncode(text);
}
