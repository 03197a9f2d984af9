using V2XSim.Foundation;

namespace V2XSim.LoadTesting;

/// <summary>A road user of a recorded instant, metres from its site.</summary>
/// <param name="Key">Distinguishes it from the others of its site; negative when it is near another site, 0 for an empty place.</param>
public readonly record struct RecordedObject(int Key, float X, float Y, RoadUserKind Kind);

/// <summary>
/// What sensors of many sites see of the traffic of a scenario, ready to be sent: for every site a fixed number of places, each of them held by
/// one road user from the instant at which it comes near to the one at which it leaves. A site with fewer road users than that is given
/// those around other sites as well, at the same places relative to it: a busier crossing, of the same traffic. The recording is played in a
/// circle, each site beginning elsewhere in it, so that the seams come one site at a time.
/// </summary>
public sealed class LoadRecording
{
    public const double FrameSeconds = 0.1;
    private const int Version = 1;
    private readonly RecordedObject[] _objects;

    private LoadRecording(int sites, int objects, int frames, RecordedObject[] all) => (Sites, Objects, Frames, _objects) = (sites, objects, frames, all);

    public int Sites { get; }

    /// <summary>Places of each site.</summary>
    public int Objects { get; }

    public int Frames { get; }

    /// <summary>Mean share of places that are filled.</summary>
    public double FilledShare => _objects.Count(o => o.Key != 0) / (double)Math.Max(1, _objects.Length);

    /// <summary>Share of the filled places whose road users are near the site itself.</summary>
    public double OwnShare => _objects.Count(o => o.Key > 0) / (double)Math.Max(1, _objects.Count(o => o.Key != 0));

    public ReadOnlySpan<RecordedObject> At(int site, int frame) => _objects.AsSpan(((frame * Sites) + site) * Objects, Objects);

    /// <summary>Records traffic around sites.</summary>
    /// <param name="advance">Fills the frame with the state at an instant; false when traffic has ended.</param>
    /// <param name="sites">Where they are.</param>
    /// <param name="lenders">More places whose road users may be borrowed.</param>
    /// <param name="objects">Places of each site.</param>
    /// <param name="reachMetres">Road users up to this far away are seen.</param>
    /// <param name="seconds">Length of the recording.</param>
    public static LoadRecording Make(Func<SimTime, TruthFrame, bool> advance, IReadOnlyList<PlanePoint> sites, IReadOnlyList<PlanePoint> lenders, int objects, double reachMetres, double seconds)
    {
        int frames = Math.Max(2, (int)Math.Round(seconds / FrameSeconds)), made = 0;
        if ((long)frames * sites.Count * objects * System.Runtime.CompilerServices.Unsafe.SizeOf<RecordedObject>() > int.MaxValue)
        {
            throw new BadInputException("command line", "--objects", $"a recording cannot hold {objects} road users at {sites.Count} sites for {seconds:0} s", "give fewer road users or sites");
        }

        var all = new RecordedObject[frames * sites.Count * objects];
        var frame = new TruthFrame();
        var grid = new PointGrid(reachMetres);
        var near = new List<int>();
        PlanePoint[] everywhere = [.. sites, .. lenders];
        var around = new List<(long Key, float X, float Y, RoadUserKind Kind)>[everywhere.Length];
        var places = new Place[sites.Count];
        int stride = StrideFor(everywhere.Length);
        for (int s = 0; s < everywhere.Length; s++)
        {
            around[s] = [];
            if (s < sites.Count)
            {
                places[s] = new Place(objects, stride);
            }
        }

        for (; made < frames && advance(SimTime.FromSeconds(made * FrameSeconds), frame); made++)
        {
            grid.Build(frame.X.AsSpan(0, frame.Count), frame.Y.AsSpan(0, frame.Count));
            for (int s = 0; s < everywhere.Length; s++)
            {
                near.Clear();
                around[s].Clear();
                grid.Query(everywhere[s], reachMetres, near);
                foreach (int i in near)
                {
                    var at = new PlanePoint(frame.X[i] - everywhere[s].X, frame.Y[i] - everywhere[s].Y);
                    if (at.Length <= reachMetres)
                    {
                        around[s].Add((frame.Number[i] + 1L, (float)at.X, (float)at.Y, frame.Kind[i]));
                    }
                }

                around[s].Sort((a, b) => Squared(a.X, a.Y).CompareTo(Squared(b.X, b.Y)) is not 0 and var order ? order : a.Key.CompareTo(b.Key));
            }

            for (int s = 0; s < sites.Count; s++)
            {
                places[s].Fill(s, around, all.AsSpan(((made * sites.Count) + s) * objects, objects));
            }
        }

        if (made < 2)
        {
            throw new BadInputException("--from", "traffic", "the scenario has no traffic to record", "give a scenario whose traffic lasts for some seconds");
        }

        return new LoadRecording(sites.Count, objects, made, made == frames ? all : all[..(made * sites.Count * objects)]);
    }

    public void Write(Stream stream)
    {
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(Version);
        writer.Write(Sites);
        writer.Write(Objects);
        writer.Write(Frames);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_objects.AsSpan()));
    }

    public static LoadRecording Read(Stream stream)
    {
        using var reader = new BinaryReader(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        if (reader.ReadInt32() != Version)
        {
            throw new InvalidDataException("not a recording of this version");
        }

        int sites = reader.ReadInt32(), objects = reader.ReadInt32(), frames = reader.ReadInt32();
        var all = new RecordedObject[checked(sites * objects * frames)];
        stream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(all.AsSpan()));
        return new LoadRecording(sites, objects, frames, all);
    }

    private static double Squared(float x, float y) => ((double)x * x) + ((double)y * y);

    /// <summary>How many sites on the next one is that road users are borrowed from: going round so, one comes by each site once.</summary>
    private static int StrideFor(int sites)
    {
        int stride = 37;
        while (System.Numerics.BigInteger.GreatestCommonDivisor(stride, sites) > 1)
        {
            stride++;
        }

        return stride;
    }

    /// <summary>Road users in the places of a site.</summary>
    private sealed class Place(int objects, int stride)
    {
        private readonly long[] _keys = new long[objects];
        private readonly Dictionary<long, int> _held = [];
        private readonly Dictionary<long, (float X, float Y, RoadUserKind Kind)> _there = [];
        private readonly List<long> _order = [];

        public void Fill(int site, List<(long Key, float X, float Y, RoadUserKind Kind)>[] around, Span<RecordedObject> to)
        {
            _there.Clear();
            _order.Clear();
            for (int layer = 0; layer < around.Length && (layer == 0 || _order.Count < objects + (objects / 2)); layer++)
            {
                int of = (int)((site + ((long)layer * stride)) % around.Length);
                foreach ((long key, float x, float y, RoadUserKind kind) in around[of])
                {
                    // One road user may be near several of the sites.
                    long unique = (key << 16) | (long)layer;
                    _there[unique] = (x, y, kind);
                    _order.Add(unique);
                }
            }

            for (int i = 0; i < objects; i++)
            {
                if (_keys[i] != 0 && !_there.ContainsKey(_keys[i]))
                {
                    _held.Remove(_keys[i]);
                    _keys[i] = 0;
                }
            }

            int next = 0;
            for (int i = 0; i < objects; i++)
            {
                while (_keys[i] == 0 && next < _order.Count)
                {
                    long candidate = _order[next++];
                    if (_held.TryAdd(candidate, i))
                    {
                        _keys[i] = candidate;
                    }
                }

                if (_keys[i] != 0)
                {
                    (float x, float y, RoadUserKind kind) = _there[_keys[i]];
                    int name = (int)((_keys[i] ^ (_keys[i] >> 31)) & int.MaxValue) | 1;
                    to[i] = new RecordedObject((_keys[i] & 0xFFFF) == 0 ? name : -name, x, y, kind);
                }
            }
        }
    }
}
