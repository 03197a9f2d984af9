using System.Globalization;
using V2XSim.Reporting;
using V2XSim.Roads;
using V2XSim.Roads.Sites;

namespace V2XSim.Runs;

/// <summary>What the map of a report shows.</summary>
public static class ReportMap
{
    /// <param name="network">The roads.</param>
    /// <param name="coverage">Which parts of them are networked.</param>
    /// <param name="congestedLinks">Names of links that are congested.</param>
    public static IReadOnlyList<MapRoad> Roads(RoadNetwork network, RoadCoverage coverage, IEnumerable<string> congestedLinks)
    {
        var congested = new HashSet<string>(congestedLinks, StringComparer.Ordinal);
        return [.. network.CentreLines.Select((line, i) => new MapRoad(
            [.. line.Shape.SelectMany(p => (double[])[p.X, p.Y])],
            [.. coverage.CoveredRuns(i).Select(run => (IReadOnlyList<double>)[.. Polyline.Cut(line.Shape, run.From, run.To).SelectMany(p => (double[])[p.X, p.Y])])],
            congested.Contains(network.Links[line.Link].Id) || (line.OppositeLink >= 0 && congested.Contains(network.Links[line.OppositeLink].Id)),
            network.Links[line.Link].Name))];
    }

    public static IReadOnlyList<MapSite> Sites(SitePlan plan) => [.. plan.Sites.Select(s => new MapSite(
        s.Position.X,
        s.Position.Y,
        s.SignalId is not null,
        string.Create(CultureInfo.InvariantCulture, $"{s.Id}, edge {s.EdgeId}, region {s.RegionId}, {s.Sensors.Count} sensors{(s.SignalId is null ? string.Empty : ", signal " + s.SignalId)}")))];
}
