using V2XSim.Foundation;

namespace V2XSim.Roads.Generation;

/// <summary>Sizes of a generated zone. Lengths in metres.</summary>
public sealed record ZoneSettings
{
    /// <summary>West to east; with <see cref="HeightMetres"/> about 300 km² by default.</summary>
    public double WidthMetres { get; init; } = 17_800;

    public double HeightMetres { get; init; } = 17_000;

    /// <summary>Mean distance between neighbouring roads.</summary>
    public double BlockMetres { get; init; } = 920;

    /// <summary>South-west corner of the zone.</summary>
    public GeoPoint Origin { get; init; } = new(116.42, 39.70);
}

/// <summary>Networks of our own making, each reproducible from a seed.</summary>
public static class GeneratedNetworks
{
    /// <summary>
    /// A demonstration zone: an irregular grid of arterials (3 lanes a side, 60 km/h) and secondary roads (2 lanes, 50 km/h) with a
    /// signal at every crossing, and an expressway (3 lanes, 80 km/h) along the northern edge with slip roads down to the arterials.
    /// </summary>
    public static RoadNetwork Zone(ZoneSettings settings, ulong seed)
    {
        var streams = new RandomStreams(seed);
        RandomStream spacing = streams.For("zone/spacing"), timing = streams.For("zone/timing");
        double[] xs = Lines(settings.WidthMetres, settings.BlockMetres, spacing);
        double[] ys = Lines(settings.HeightMetres, settings.BlockMetres, spacing);
        var builder = new NetworkBuilder();
        bool Arterial(int i) => i % 3 == 1;

        for (int c = 0; c < xs.Length; c++)
        {
            for (int r = 0; r < ys.Length; r++)
            {
                bool major = Arterial(c) || Arterial(r);
                builder.Add(new Node($"X{c:00}Y{r:00}", new PlanePoint(xs[c], ys[r]), NodeControl.Signal)
                {
                    CycleSeconds = Arterial(c) && Arterial(r) ? 120 : major ? 100 : 80,
                    OffsetSeconds = Math.Floor(timing.NextDouble(0, major ? 100 : 80)),
                });
            }
        }

        const double Stub = 420;
        for (int c = 0; c < xs.Length; c++)
        {
            builder.Add(new Node($"S{c:00}", new PlanePoint(xs[c], ys[0] - Stub), NodeControl.Open));
            AddRoad($"S{c:00}", $"X{c:00}Y00", Arterial(c), $"NS{c:00}");
            for (int r = 0; r + 1 < ys.Length; r++)
            {
                AddRoad($"X{c:00}Y{r:00}", $"X{c:00}Y{r + 1:00}", Arterial(c), $"NS{c:00}");
            }
        }

        for (int r = 0; r < ys.Length; r++)
        {
            builder.Add(new Node($"W{r:00}", new PlanePoint(xs[0] - Stub, ys[r]), NodeControl.Open));
            builder.Add(new Node($"E{r:00}", new PlanePoint(xs[^1] + Stub, ys[r]), NodeControl.Open));
            AddRoad($"W{r:00}", $"X00Y{r:00}", Arterial(r), $"EW{r:00}");
            for (int c = 0; c + 1 < xs.Length; c++)
            {
                AddRoad($"X{c:00}Y{r:00}", $"X{c + 1:00}Y{r:00}", Arterial(r), $"EW{r:00}");
            }

            AddRoad($"X{xs.Length - 1:00}Y{r:00}", $"E{r:00}", Arterial(r), $"EW{r:00}");
        }

        AddExpressway(builder, xs, ys[^1] + 500, ys.Length - 1, Arterial);
        return builder.Build(MapProjection.UtmAt(settings.Origin));

        void AddRoad(string from, string to, bool arterial, string name) => builder.Add(
            new Road($"{from}-{to}", from, to, arterial ? 3 : 2, arterial ? 3 : 2, arterial ? 16.67 : 13.89, arterial ? "arterial" : "secondary")
            {
                Name = name,
                Priority = arterial ? 10 : 5,
            });
    }

    /// <summary>A street with a crossing street at each of its signals, straight from west to east.</summary>
    /// <param name="linkMetres">Distances between neighbouring signals.</param>
    /// <param name="mainRedSeconds">Red of the street at each signal; the green is the rest of the cycle.</param>
    /// <param name="offsetsSeconds">Start of the street's green at each signal.</param>
    /// <param name="cycleSeconds">Common cycle.</param>
    /// <param name="speedMetresPerSecond">Speed limit of the street and its crossing streets.</param>
    /// <param name="origin">The westernmost signal.</param>
    public static RoadNetwork Arterial(
        IReadOnlyList<double> linkMetres,
        IReadOnlyList<double> mainRedSeconds,
        IReadOnlyList<double> offsetsSeconds,
        double cycleSeconds,
        double speedMetresPerSecond,
        GeoPoint origin)
    {
        const double Approach = 250;
        var builder = new NetworkBuilder();
        double x = 0;
        builder.Add(new Node("W", new PlanePoint(-Approach, 0), NodeControl.Open));
        string previous = "W";
        for (int i = 0; i < mainRedSeconds.Count; i++)
        {
            string id = $"A{i + 1}";
            builder.Add(new Node(id, new PlanePoint(x, 0), NodeControl.Signal)
            {
                CycleSeconds = cycleSeconds,
                OffsetSeconds = offsetsSeconds[i],
                MainGreenSeconds = cycleSeconds - mainRedSeconds[i],
                LeftTurnsAllowed = false,
            });
            builder.Add(new Road($"M{i}", previous, id, 2, 2, speedMetresPerSecond, "arterial") { Name = "main", Priority = 10 });
            builder.Add(new Node($"N{i + 1}", new PlanePoint(x, Approach), NodeControl.Open));
            builder.Add(new Node($"S{i + 1}", new PlanePoint(x, -Approach), NodeControl.Open));
            builder.Add(new Road($"CN{i + 1}", $"N{i + 1}", id, 1, 1, speedMetresPerSecond, "secondary") { Name = $"cross {i + 1}", Priority = 5 });
            builder.Add(new Road($"CS{i + 1}", $"S{i + 1}", id, 1, 1, speedMetresPerSecond, "secondary") { Name = $"cross {i + 1}", Priority = 5 });
            previous = id;
            x += i < linkMetres.Count ? linkMetres[i] : Approach;
        }

        builder.Add(new Node("E", new PlanePoint(x, 0), NodeControl.Open));
        builder.Add(new Road($"M{mainRedSeconds.Count}", previous, "E", 2, 2, speedMetresPerSecond, "arterial") { Name = "main", Priority = 10 });
        return builder.Build(MapProjection.CentredOn(origin));
    }

    /// <summary>One signalised crossing of an arterial (3 lanes a side) with a secondary road (2 lanes), arms of 300 m.</summary>
    public static RoadNetwork Crossing(GeoPoint centre)
    {
        var builder = new NetworkBuilder();
        builder.Add(new Node("C", default, NodeControl.Signal) { CycleSeconds = 80 });
        foreach ((string id, double x, double y) in new[] { ("W", -300.0, 0.0), ("E", 300, 0), ("S", 0, -300), ("N", 0, 300) })
        {
            bool arterial = y == 0;
            builder.Add(new Node(id, new PlanePoint(x, y), NodeControl.Open));
            builder.Add(new Road(id + "C", id, "C", arterial ? 3 : 2, arterial ? 3 : 2, arterial ? 16.67 : 13.89, arterial ? "arterial" : "secondary")
            {
                Priority = arterial ? 10 : 5,
            });
        }

        return builder.Build(MapProjection.CentredOn(centre));
    }

    private static void AddExpressway(NetworkBuilder builder, double[] xs, double y, int topRow, Func<int, bool> arterial)
    {
        const double Speed = 22.22, RampSpeed = 11.11, HalfGap = 240;
        builder.Add(new Node("XW", new PlanePoint(xs[0] - 900, y), NodeControl.Open));
        string previous = "XW";
        int section = 0;

        // Eastbound between an entry and the next exit there is a fourth lane, which begins at the one and ends at the other.
        int eastbound = 3;
        for (int c = 0; c < xs.Length; c++)
        {
            if (!arterial(c))
            {
                builder.Add(new Node($"T{c:00}", new PlanePoint(xs[c], y - 180), NodeControl.Open));
                builder.Add(new Road($"X{c:00}Y{topRow:00}-T{c:00}", $"X{c:00}Y{topRow:00}", $"T{c:00}", 2, 2, 13.89, "secondary") { Name = $"NS{c:00}", Priority = 5 });
                continue;
            }

            string exit = $"XA{c:00}", entry = $"XB{c:00}", terminal = $"R{c:00}";
            builder.Add(new Node(exit, new PlanePoint(xs[c] - HalfGap, y), NodeControl.Lanes));
            builder.Add(new Node(entry, new PlanePoint(xs[c] + HalfGap, y), NodeControl.Lanes));
            builder.Add(new Node(terminal, new PlanePoint(xs[c], y - 160), NodeControl.Signal) { CycleSeconds = 80 });
            string before = $"XX{section++:00}", between = $"XX{section++:00}";
            bool firstExit = eastbound == 3;
            builder.Add(new Road(before, previous, exit, firstExit ? 4 : eastbound, 3, Speed, "expressway") { Name = "expressway", Priority = 20 });
            builder.Add(new Road(between, exit, entry, 3, 3, Speed, "expressway") { Name = "expressway", Priority = 20 });
            builder.Add(new Road($"off{c:00}", exit, terminal, 1, 0, RampSpeed, "slip") { Name = $"exit {c}", Priority = 4 });
            builder.Add(new Road($"on{c:00}", terminal, entry, 1, 0, RampSpeed, "slip") { Name = $"entry {c}", Priority = 4 });

            // One lane up to the slip road, three back down from it.
            builder.Add(new Road($"X{c:00}Y{topRow:00}-{terminal}", $"X{c:00}Y{topRow:00}", terminal, 1, 3, 16.67, "arterial") { Name = $"NS{c:00}", Priority = 10 });
            builder.Connect(exit, before, 0, $"off{c:00}", 0);
            for (int lane = 0; lane < 3; lane++)
            {
                builder.Connect(exit, before, lane + 1, between, lane);
                builder.Connect(exit, "-" + between, lane, "-" + before, lane);
            }

            string after = $"XX{section:00}";
            builder.Connect(entry, $"on{c:00}", 0, after, 0);
            for (int lane = 0; lane < 3; lane++)
            {
                builder.Connect(entry, between, lane, after, lane + 1);
                builder.Connect(entry, "-" + after, lane, "-" + between, lane);
            }

            previous = entry;
            eastbound = 4;
        }

        builder.Add(new Node("XE", new PlanePoint(xs[^1] + 1500, y), NodeControl.Open));
        builder.Add(new Road($"XX{section:00}", previous, "XE", eastbound, 3, Speed, "expressway") { Name = "expressway", Priority = 20 });
    }

    private static double[] Lines(double extent, double block, RandomStream random)
    {
        int count = Math.Max(2, (int)Math.Round(extent / block) + 1);
        var positions = new double[count];
        for (int i = 1; i < count; i++)
        {
            positions[i] = positions[i - 1] + random.NextDouble(0.72, 1.28);
        }

        double scale = extent / positions[^1];
        return [.. positions.Select(p => Math.Round(p * scale, 1))];
    }
}
