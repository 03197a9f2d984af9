using System.Net;

namespace V2XSim.Reporting;

/// <summary>Functions shared by all pages.</summary>
internal static class Pages
{
    public static string Escape(string text) => WebUtility.HtmlEncode(text);
}
