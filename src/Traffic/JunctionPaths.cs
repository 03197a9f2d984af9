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

    /// <summary>For each internal lane the internal lane that it goes on in, −1 for none.</summary>
    public static int[] Continuations(RoadNetwork network)
    {
        int[] next = new int[network.Lanes.Count];
        Array.Fill(next, -1);
        foreach (Connection c in network.Connections.Where(c => c.ViaLane >= 0 && network.Links[network.Lanes[c.FromLane].Link].Function == LinkFunction.Internal))
        {
            next[c.FromLane] = c.ViaLane;
        }

        return next;
    }

    /// <param name="network">Network with its movements.</param>
    /// <param name="goesOnIn">From <see cref="Continuations"/>.</param>
    public JunctionPaths(RoadNetwork network, int[] goesOnIn)
    {
        _conflicts = new int[network.Lanes.Count][];
        _siblings = new (int, double)[network.Lanes.Count][];
        Array.Fill(_conflicts, []);
        Array.Fill(_siblings, []);
        IEnumerable<IGrouping<int, Connection>> junctions = network.Connections
            .Where(c => c.ViaLane >= 0 && network.Links[network.Lanes[c.FromLane].Link].Function == LinkFunction.Road)
            .GroupBy(c => network.Links[network.Lanes[c.FromLane].Link].ToJunction);
        foreach (IGrouping<int, Connection> junction in junctions)
        {
            Connection[] paths = [.. junction];
            PlanePoint[][] samples = [.. paths.Select(p => goesOnIn[p.ViaLane] is var second and >= 0
                ? (PlanePoint[])[.. Sample(network.Lanes[p.ViaLane]), .. Sample(network.Lanes[second])]
                : Sample(network.Lanes[p.ViaLane]))];
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
                        siblings[i].Add((paths[j].ViaLane, Together(Sample(network.Lanes[paths[j].ViaLane]), samples[i], network.Lanes[paths[j].ViaLane].LengthMetres)));
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
