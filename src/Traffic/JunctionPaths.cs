using V2XSim.Kernel;
using V2XSim.Roads;

namespace V2XSim.Traffic;

/// <summary>Which paths through a junction cross or merge, and which leave the same lane and part only further on.</summary>
internal sealed class JunctionPaths
{
    /// <summary>Closer than this, two paths cannot be used side by side.</summary>
    private const double ClearanceMetres = 3.0;
    private readonly int[][] _conflicts;
    private readonly (int Path, double TogetherMetres)[][] _siblings;

    public JunctionPaths(RoadNetwork network)
    {
        _conflicts = new int[network.Lanes.Count][];
        _siblings = new (int, double)[network.Lanes.Count][];
        Array.Fill(_conflicts, []);
        Array.Fill(_siblings, []);
        IEnumerable<IGrouping<int, Connection>> junctions = network.Connections.Where(c => c.ViaLane >= 0)
            .GroupBy(c => network.Links[network.Lanes[c.FromLane].Link].ToJunction);
        foreach (IGrouping<int, Connection> junction in junctions)
        {
            Connection[] paths = [.. junction];
            PlanePoint[][] samples = [.. paths.Select(p => Sample(network.Lanes[p.ViaLane]))];
            var conflicts = new List<int>[paths.Length];
            var siblings = new List<(int, double)>[paths.Length];
            for (int i = 0; i < paths.Length; i++)
            {
                (conflicts[i], siblings[i]) = ([], []);
            }

            for (int i = 0; i < paths.Length; i++)
            {
                for (int j = 0; j < paths.Length; j++)
                {
                    if (i == j)
                    {
                        continue;
                    }

                    if (paths[i].FromLane == paths[j].FromLane)
                    {
                        siblings[i].Add((paths[j].ViaLane, Together(samples[j], samples[i], network.Lanes[paths[j].ViaLane].LengthMetres)));
                    }
                    else if (i < j && Near(samples[i], samples[j]))
                    {
                        conflicts[i].Add(paths[j].ViaLane);
                        conflicts[j].Add(paths[i].ViaLane);
                    }
                }
            }

            for (int i = 0; i < paths.Length; i++)
            {
                _conflicts[paths[i].ViaLane] = [.. conflicts[i]];
                _siblings[paths[i].ViaLane] = [.. siblings[i]];
            }
        }
    }

    public ReadOnlySpan<int> ConflictsOf(int path) => _conflicts[path];

    public ReadOnlySpan<(int Path, double TogetherMetres)> SiblingsOf(int path) => _siblings[path];

    private static PlanePoint[] Sample(Lane lane)
    {
        int count = Math.Max(2, (int)Math.Ceiling(lane.LengthMetres / 1.5) + 1);
        return [.. Enumerable.Range(0, count).Select(i => lane.At(lane.LengthMetres * i / (count - 1)).Point)];
    }

    private static bool Near(PlanePoint[] a, PlanePoint[] b) =>
        a.Any(p => b.Any(q => p.SquaredDistanceTo(q) < ClearanceMetres * ClearanceMetres));

    /// <summary>How far along path <paramref name="a"/> the other still runs beside it.</summary>
    private static double Together(PlanePoint[] a, PlanePoint[] b, double length)
    {
        int last = Array.FindLastIndex(a, p => b.Any(q => p.SquaredDistanceTo(q) < ClearanceMetres * ClearanceMetres));
        return last < 0 ? 0 : length * last / (a.Length - 1);
    }
}
