using Google.OrTools.LinearSolver;

namespace V2XSim.Signals.Bands;

/// <summary>
/// Finds the widest bands by mixed-integer programming: MAXBAND (Little 1966; Little, Kelson, Gartner 1981), MULTIBAND (Gartner, Assmann, Lasaga, Hou
/// 1991) and bands on a network. The integers that a solver finds are fixed and the rest is solved again as a linear programme, so that
/// figures are exact to the solver's last digits.
/// </summary>
public static class BandSolver
{
    /// <summary>Signals of an arterial up to which it is short.</summary>
    private const int ShortArterial = 20;

    /// <summary>Signals of a network beyond which it is solved by parts.</summary>
    private const int LargeNetwork = 24;

    /// <param name="problem">What to solve.</param>
    /// <param name="limit">When to stop with what has been found by then.</param>
    /// <exception cref="InvalidOperationException">There is no plan at all.</exception>
    /// <exception cref="TimeoutException">None was found in time.</exception>
    public static BandSolution Solve(BandCase problem, TimeSpan limit)
    {
        if (problem.Model == BandModel.NetBand && problem.Signals.Count > LargeNetwork)
        {
            return SolveByParts(problem, limit);
        }

        using var model = new Model(problem, BackendOf(problem));
        model.Build();
        (double bound, bool isProven) = model.Run(limit);
        using var exact = new Model(problem, "GLOP");
        exact.Build(Held(model.Integers));
        exact.Run(limit);
        double objective = exact.Objective;
        return exact.Read(isProven ? 0 : Math.Max(0, (bound - objective) / Math.Max(objective, 1e-9))) with { Integers = model.Integers };
    }

    /// <summary>
    /// The widest bands of a plan that a controller can be given: cycle and offsets in whole seconds, the cycles beside the best one tried. Speeds may be
    /// others within their range, and patterns too.
    /// </summary>
    /// <param name="problem">What to solve.</param>
    /// <param name="best">Its solution in fractions of a second.</param>
    /// <param name="limit">When to stop with what has been found by then.</param>
    /// <returns>Null when the range of cycles contains no whole second.</returns>
    public static BandSolution? SolveWholeSeconds(BandCase problem, BandSolution best, TimeSpan limit)
    {
        if (problem.Model == BandModel.NetBand && problem.Signals.Count > LargeNetwork)
        {
            return Rounded(problem, best);
        }

        BandSolution? found = null;
        foreach (double cycle in new[] { Math.Floor(best.CycleSeconds + 1e-6), Math.Ceiling(best.CycleSeconds - 1e-6) }.Distinct())
        {
            if (cycle < problem.CycleSeconds.Least - 1e-6 || cycle > problem.CycleSeconds.Most + 1e-6)
            {
                continue;
            }

            BandCase whole = problem with { CycleSeconds = (cycle, cycle) };
            // A long one keeps the integers of the best plan: then only seconds are to be found, and the best plan says how far from the best that is.
            bool isLong = problem.Signals.Count > ShortArterial && best.Integers.Count > 0;
            using var model = new Model(whole, BackendOf(problem)) { WholeCycleSeconds = cycle };
            model.Build(isLong ? WithoutSeconds(problem, best.Integers) : null);
            if (!model.TryRun(limit / 2, out double bound, out bool isProven))
            {
                continue;
            }

            (bound, isProven) = isLong ? (Math.Max(best.ObjectiveCycles, model.Objective), false) : (bound, isProven);

            using var exact = new Model(whole, "GLOP") { WholeCycleSeconds = cycle };
            exact.Build(Held(model.Integers));
            exact.Run(limit);
            if (found is null || exact.Objective * cycle > found.ObjectiveCycles * found.CycleSeconds)
            {
                found = exact.Read(isProven ? 0 : Math.Max(0, (bound - exact.Objective) / Math.Max(exact.Objective, 1e-9)));
            }
        }

        return found;
    }

    /// <summary>CBC proves short arterials some times faster, SCIP long ones and, more evenly, networks (bench/solver-table).</summary>
    private static string BackendOf(BandCase problem) => problem.Model != BandModel.NetBand && problem.Signals.Count <= ShortArterial ? "CBC" : "SCIP";

    /// <summary>
    /// A large network: one arterial after the other finds its bands among those that have theirs, then crossing pairs look for better ones together while
    /// all others keep their integers. An arterial that finds none among the others goes without. The gap is to the sum of all narrowest greens.
    /// </summary>
    private static BandSolution SolveByParts(BandCase problem, TimeSpan limit)
    {
        int count = problem.Arterials.Count;
        int[] order = [.. Enumerable.Range(0, count).OrderByDescending(a => problem.Arterials[a].Weight).ThenByDescending(a => problem.Arterials[a].Nodes.Count).ThenBy(a => a)];
        var included = new HashSet<int>();
        IReadOnlyList<double>? best = null;
        double value = 0;
        foreach (int arterial in order)
        {
            // First with all others held, then with those that it crosses free.
            foreach (HashSet<int> free in (HashSet<int>[])[[arterial], [arterial, .. included.Where(i => Cross(i, arterial))]])
            {
                if (Improve([.. included, arterial], free, limit / (4 * count), mustImprove: false))
                {
                    included.Add(arterial);
                    break;
                }
            }
        }

        (int A, int B)[] pairs = [.. order.SelectMany((a, i) => order.Skip(i + 1).Where(b => Cross(a, b)).Select(b => (a, b)))];
        foreach ((int a, int b) in pairs)
        {
            if (Improve([.. included, a, b], [a, b], limit / (2 * Math.Max(1, pairs.Length)), mustImprove: true))
            {
                included.UnionWith([a, b]);
            }
        }

        if (best is null)
        {
            throw new TimeoutException("no plan was found in time");
        }

        using var exact = new Model(problem, "GLOP") { Included = included };
        exact.Build(Held(best));
        exact.Run(limit);
        double bound = problem.Arterials.Sum(a => 2 * a.Weight * a.Nodes.Min(n => 1 - (a.IsCross ? problem.Signals[n].InRed : problem.Signals[n].OutRed)));
        return exact.Read(Math.Max(0, (bound - exact.Objective) / Math.Max(exact.Objective, 1e-9)));

        bool Cross(int a, int b) => a != b && problem.Arterials[a].Nodes.Intersect(problem.Arterials[b].Nodes).Any();

        bool Improve(HashSet<int> with, HashSet<int> free, TimeSpan time, bool mustImprove)
        {
            using var model = new Model(problem, "SCIP") { Included = with };
            model.Build(best, free);
            if (!model.TryRun(time, out _, out _) || (mustImprove && model.Objective < value + 1e-6))
            {
                return false;
            }

            (best, value) = (model.Integers, model.Objective);
            return true;
        }
    }

    /// <summary>A large network's plan with every instant rounded, and the bands that it then has.</summary>
    private static BandSolution? Rounded(BandCase problem, BandSolution best)
    {
        double least = Math.Ceiling(problem.CycleSeconds.Least), most = Math.Floor(problem.CycleSeconds.Most);
        if (least > most)
        {
            return null;
        }

        double cycle = Math.Clamp(Math.Round(best.CycleSeconds), least, most), scale = cycle / best.CycleSeconds;

        double[] offsets = [.. best.OffsetsSeconds.Select(o => Math.Round(o * scale) % cycle)];
        ArterialPlan[] plans = [.. best.Plans.Select((plan, a) =>
        {
            // As much as the signal moves its greens move; the second axis keeps its place to the first.
            IReadOnlyList<int> nodes = problem.Arterials[a].Nodes;
            double[] moved = [.. nodes.Select(n => offsets[n] - (best.OffsetsSeconds[n] * scale))];
            double[] Greens(IReadOnlyList<double> starts) => [.. starts.Select((s, i) => Cycles.Within((s * scale) + moved[i], cycle))];
            double[] Scaled(IReadOnlyList<double> times) => [.. times.Select(t => t * scale)];
            return plan with
            {
                CycleSeconds = cycle,
                OutStart = Greens(plan.OutStart),
                InStart = Greens(plan.InStart),
                OutGreen = Scaled(plan.OutGreen),
                InGreen = Scaled(plan.InGreen),
                OutTravel = Scaled(plan.OutTravel),
                InTravel = Scaled(plan.InTravel),
            };
        })];
        Bands[] bands = [.. plans.Select((p, a) => best.Bands[a].Out[0] <= 0 && best.Bands[a].In[0] <= 0 ? new Bands([0], [0]) : BandEvaluator.Whole(p) is var (o, i) ? new Bands([o], [i]) : new Bands([0], [0]))];
        return best with
        {
            ObjectiveCycles = bands.Select((b, a) => problem.Arterials[a].Weight * (b.Out[0] + b.In[0]) / cycle).Sum(),
            CycleSeconds = cycle,
            Bands = bands,
            Plans = plans,
            OffsetsSeconds = offsets,
        };
    }

    /// <summary>The integers of an arterial with free places for the seconds from signal to signal, which stand behind each link's loops.</summary>
    private static List<double?> WithoutSeconds(BandCase problem, IReadOnlyList<double> integers)
    {
        int loops = problem.Signals.Count - 1, choices = integers.Count - loops;
        return [.. integers.Take(choices).Select(i => (double?)i), .. integers.Skip(choices).SelectMany(i => new double?[] { i, null })];
    }

    private static IReadOnlyList<double?> Held(IReadOnlyList<double> integers) => [.. integers.Select(i => (double?)i)];

    /// <summary>The problem in the form that other solvers read (CPLEX LP).</summary>
    public static string AsLp(BandCase problem)
    {
        using var model = new Model(problem, "SCIP");
        model.Build();
        return model.AsText();
    }

    /// <summary>
    /// The plan that gives one direction all it can have, its narrowest green, and the other what is left. The sum of both bands in the model is
    /// over-constrained: it makes even a band of no width find green everywhere, and can be less than this.
    /// </summary>
    /// <param name="problem">An arterial.</param>
    /// <param name="cycleSeconds">Length of the cycle.</param>
    /// <param name="isOutbound">Which direction.</param>
    public static ArterialPlan OneWay(BandCase problem, double cycleSeconds, bool isOutbound)
    {
        int n = problem.Signals.Count;
        double[] outStart = new double[n], inStart = new double[n];
        double[] outTravel = [.. problem.Links.Select((l, i) => (l.OutMetres / l.OutSpeed.Most) - (problem.Signals[i + 1].OutClearance * cycleSeconds))];
        double[] inTravel = [.. problem.Links.Select((l, i) => (l.InMetres / l.InSpeed.Most) - (problem.Signals[i].InClearance * cycleSeconds))];
        for (int i = 0; i < n; i++)
        {
            // Greens of the direction begin as the vehicles come; the other's stand as the signal's stages have them.
            BandSignal s = problem.Signals[i];
            double delta = (s.Patterns.Count > 0 ? s.DeltaOf(s.Patterns[0]) : s.Delta) * cycleSeconds, between = ((s.InRed - s.OutRed) / 2 * cycleSeconds) - delta;
            if (isOutbound)
            {
                outStart[i] = i == 0 ? 0 : outStart[i - 1] + outTravel[i - 1];
                inStart[i] = outStart[i] + between;
            }
            else
            {
                inStart[i] = i == 0 ? 0 : inStart[i - 1] - inTravel[i - 1];
                outStart[i] = inStart[i] - between;
            }
        }

        return new ArterialPlan(
            cycleSeconds,
            [.. outStart.Select(t => Cycles.Within(t, cycleSeconds))],
            [.. problem.Signals.Select(s => (1 - s.OutRed) * cycleSeconds)],
            [.. inStart.Select(t => Cycles.Within(t, cycleSeconds))],
            [.. problem.Signals.Select(s => (1 - s.InRed) * cycleSeconds)],
            outTravel,
            inTravel)
        {
            IsOneWay = problem.Street is { IsOneWay: true },
            OutMetres = [.. problem.Links.Select(l => l.OutMetres)],
            InMetres = [.. problem.Links.Select(l => l.InMetres)],
            OutLeadSeconds = [.. problem.Signals.Skip(1).Select(s => s.OutClearance * cycleSeconds)],
            InLeadSeconds = [.. problem.Signals.SkipLast(1).Select(s => s.InClearance * cycleSeconds)],
        };
    }

    private sealed class Model : IDisposable
    {
        /// <summary>A red of less than this share of the cycle is none.</summary>
        private const double Least = 1e-9;
        private readonly BandCase _case;
        private readonly Solver _solver;
        private readonly List<Variable> _integers = [];
        private Variable _slowness = null!;
        private readonly List<Strand> _strands = [];
        private IReadOnlyList<double?>? _fixed;
        private Variable[]? _offsets;

        public Model(BandCase problem, string backend) => (_case, _solver) = (problem, Solver.CreateSolver(backend) ?? throw new InvalidOperationException($"OR-Tools has no solver {backend} here"));

        /// <summary>Values of the integers, in order of their making.</summary>
        public IReadOnlyList<double> Integers => [.. _integers.Select(v => Math.Round(v.SolutionValue()))];

        public double Objective => _solver.Objective().Value();

        /// <summary>Length of the cycle when greens are to begin on whole seconds; null when they need not.</summary>
        public double? WholeCycleSeconds { get; init; }

        public string AsText() => _solver.ExportModelAsLpFormat(false);

        /// <summary>Arterials of a network that have bands; null for all.</summary>
        public HashSet<int>? Included { get; init; }

        /// <summary>With the integers of all arterials but some fixed to their values.</summary>
        /// <param name="integers">What they were; null leaves all free.</param>
        public void Build(IReadOnlyList<double>? integers, HashSet<int> free)
        {
            int[] owner = [.. _case.Arterials.SelectMany((a, i) => Enumerable.Repeat(i, 2 * a.Metres.Count))];
            Build(integers is null ? null : [.. integers.Select((value, i) => free.Contains(owner[i]) ? (double?)null : value)]);
        }

        /// <param name="integers">Values to which they are fixed; null leaves one free, and all when the list is null.</param>
        public void Build(IReadOnlyList<double?>? integers = null)
        {
            _fixed = integers;
            _slowness = Real(1 / _case.CycleSeconds.Most, 1 / _case.CycleSeconds.Least);
            Objective objective = _solver.Objective();
            objective.SetMaximization();
            if (_case.Model == BandModel.NetBand)
            {
                BuildNetwork(objective);
            }
            else
            {
                BuildArterial(objective);
            }
        }

        public (double Bound, bool IsProven) Run(TimeSpan limit) =>
            TryRun(limit, out double bound, out bool isProven) ? (bound, isProven) : throw (IsInfeasible ? new InvalidOperationException("there is no such plan") : new TimeoutException("no plan was found in time"));

        /// <summary>Whether it is known that nothing fits.</summary>
        public bool IsInfeasible { get; private set; }

        public bool TryRun(TimeSpan limit, out double bound, out bool isProven)
        {
            // No milliseconds at all would mean no limit.
            _solver.SetTimeLimit(Math.Max(1, (long)limit.TotalMilliseconds));
            using var parameters = new MPSolverParameters();
            parameters.SetDoubleParam(MPSolverParameters.DoubleParam.RELATIVE_MIP_GAP, 1e-9);
            Solver.ResultStatus status = _solver.Solve(parameters);
            isProven = status == Solver.ResultStatus.OPTIMAL;
            IsInfeasible = status == Solver.ResultStatus.INFEASIBLE;
            bool isFound = isProven || status == Solver.ResultStatus.FEASIBLE;
            bound = !isFound ? double.NaN : isProven ? Objective : _solver.Objective().BestBound();
            return isFound;
        }

        public BandSolution Read(double gap)
        {
            double cycle = 1 / _slowness.SolutionValue();
            var plans = new List<ArterialPlan>();
            var bands = new List<Bands>();
            foreach (Strand strand in _strands)
            {
                plans.Add(strand.Plan(cycle));
                bands.Add(new Bands([.. strand.Out.Select(b => b.SolutionValue() * cycle)], [.. strand.In.Select(b => b.SolutionValue() * cycle)]));
            }

            IReadOnlyList<double> offsets = _offsets is null ? plans[0].OutStart : [.. _offsets.Select((o, i) => Within((o.SolutionValue() + (_case.Signals[i].OutRed / 2)) * cycle, cycle))];
            return new BandSolution
            {
                ObjectiveCycles = Objective,
                Gap = gap,
                CycleSeconds = cycle,
                Bands = bands,
                Plans = plans,
                OffsetsSeconds = [.. offsets.Select(o => Within(o - offsets[0], cycle))],
                Patterns = _strands[0].Patterns,
            };
        }

        public void Dispose() => _solver.Dispose();

        private static double Within(double seconds, double cycle) => Cycles.Within(seconds, cycle) is var t && t > cycle - 1e-7 ? 0 : t;

        private void BuildArterial(Objective objective)
        {
            int n = _case.Signals.Count;
            bool isMulti = _case.Model == BandModel.MultiBand;
            var s = new Strand
            {
                Case = _case,
                Out = [.. Enumerable.Range(0, isMulti ? n - 1 : 1).Select(_ => Real(0, 1))],
                In = [.. Enumerable.Range(0, isMulti ? n - 1 : 1).Select(_ => Real(0, 1))],
                OutSlack = [.. _case.Signals.Select(signal => Real(0, 1 - signal.OutRed))],
                InSlack = [.. _case.Signals.Select(signal => Real(0, 1 - signal.InRed))],
                OutTime = [.. _case.Links.Select(link => Time(link.OutMetres, link.OutSpeed))],
                InTime = [.. _case.Links.Select(link => Time(link.InMetres, link.InSpeed))],
                Delta = new LinearExpr[n],
                Choice = new (Variable, Variable)?[n],
            };
            _strands.Add(s);
            for (int i = 0; i < n; i++)
            {
                s.Delta[i] = DeltaOf(_case.Signals[i], s, i);
                BandSignal signal = _case.Signals[i];
                if (!isMulti)
                {
                    Fits(s.OutSlack[i], s.Out[0], signal.OutRed);
                    Fits(s.InSlack[i], s.In[0], signal.InRed);
                    continue;
                }

                // Bands of the links before and after it are placed around the progression line.
                for (int link = Math.Max(0, i - 1); link <= Math.Min(n - 2, i); link++)
                {
                    FitsAbout(s.OutSlack[i], s.Out[link], signal.OutRed);
                    FitsAbout(s.InSlack[i], s.In[link], signal.InRed);
                }
            }

            for (int i = 0; i < n - 1; i++)
            {
                BandLink link = _case.Links[i];
                BandSignal a = _case.Signals[i], b = _case.Signals[i + 1];
                double right = (0.5 * (b.OutRed + b.InRed)) - (0.5 * (a.OutRed + a.InRed)) + a.InClearance + b.OutClearance;
                (double least, double most) = Sum(DeltaRange(a), Negative(DeltaRange(b)), (-right, -right));
                Variable loops = WholeWithin([s.OutSlack[i], s.InSlack[i], s.OutTime[i], s.InTime[i]], [s.OutSlack[i + 1], s.InSlack[i + 1]], least, most);
                _solver.Add(s.OutSlack[i] + s.InSlack[i] - s.OutSlack[i + 1] - s.InSlack[i + 1] + s.OutTime[i] + s.InTime[i] + s.Delta[i] - s.Delta[i + 1] - loops == right);
                if (WholeCycleSeconds is { } cycle)
                {
                    // From the start of this signal's outbound green to that of the next one.
                    Variable seconds = WholeWithin([s.OutSlack[i], s.OutTime[i]], [s.OutSlack[i + 1]], -b.OutClearance, -b.OutClearance, cycle);
                    _solver.Add(s.OutSlack[i] + s.OutTime[i] - s.OutSlack[i + 1] - (1 / cycle * seconds) == b.OutClearance);
                }

                if (isMulti)
                {
                    objective.SetCoefficient(s.Out[i], link.OutWeight / (n - 1));
                    objective.SetCoefficient(s.In[i], link.InWeight / (n - 1));
                    _solver.Add((1 - link.Ratio) * s.In[i] >= (1 - link.Ratio) * link.Ratio * s.Out[i]);
                }
            }

            if (_case.SlownessChange is { } change)
            {
                LimitSlowness(s.OutTime, [.. _case.Links.Select(l => l.OutMetres)], change);
                LimitSlowness(s.InTime, [.. _case.Links.Select(l => l.InMetres)], change);
            }

            if (!isMulti)
            {
                objective.SetCoefficient(s.Out[0], 1);
                objective.SetCoefficient(s.In[0], _case.Weight);
                if (_case.Ratio == BandRatio.Equal || (_case.Ratio == BandRatio.MaxBand81 && _case.Weight == 1))
                {
                    _solver.Add(s.Out[0] == s.In[0]);
                }
                else if (_case.Ratio == BandRatio.MaxBand81)
                {
                    _solver.Add((1 - _case.Weight) * s.In[0] >= (1 - _case.Weight) * _case.Weight * s.Out[0]);
                }
            }
        }

        /// <summary>The difference of the reds' middles at a signal, by the pattern where there is a choice.</summary>
        private LinearExpr DeltaOf(BandSignal signal, Strand s, int i)
        {
            if (signal.Patterns.Count == 0)
            {
                return new LinearExpr() + signal.Delta;
            }

            Variable outLag = Whole(0, 1), inLag = Whole(0, 1);
            s.Choice[i] = (outLag, inLag);
            foreach (LeftTurnPattern pattern in Enum.GetValues<LeftTurnPattern>())
            {
                if (!signal.Patterns.Contains(pattern))
                {
                    // Away from this corner of the square of choices.
                    (int o, int e) = BandSignal.Deltas(pattern);
                    _solver.Add((o == 1 ? 1 - outLag : outLag + 0) + (e == 1 ? 1 - inLag : inLag + 0) >= 1);
                }
            }

            return (signal.OutLeft * outLag) - (0.5 * signal.OutLeft) - (signal.InLeft * inLag) + (0.5 * signal.InLeft);
        }

        private void BuildNetwork(Objective objective)
        {
            // Middle of the first axis' red at each signal; that of the second is half a cycle later.
            _offsets = [.. _case.Signals.Select((_, i) => Real(0, i == 0 ? 0 : 1))];
            if (WholeCycleSeconds is { } cycle)
            {
                for (int i = 1; i < _offsets.Length; i++)
                {
                    double half = 0.5 * (_case.Signals[i].OutRed - _case.Signals[0].OutRed);
                    _solver.Add(_offsets[i] - (1 / cycle * Whole(-cycle, 2 * cycle)) == -half);
                }
            }

            for (int a = 0; a < _case.Arterials.Count; a++)
            {
                BandArterial road = _case.Arterials[a];
                int n = road.Nodes.Count;
                bool isIncluded = Included?.Contains(a) ?? true;
                var s = new Strand
                {
                    Case = _case,
                    Road = road,
                    Offsets = _offsets,
                    Out = [Real(0, isIncluded ? 1 : 0)],
                    In = [Real(0, isIncluded ? 1 : 0)],
                    OutSlack = [.. Enumerable.Range(0, n).Select(_ => Real(0, 1))],
                    InSlack = [.. Enumerable.Range(0, n).Select(_ => Real(0, 1))],
                    OutTime = [.. road.Metres.Select(metres => Time(metres, _case.Speed))],
                    InTime = [.. road.Metres.Select(metres => Time(metres, _case.Speed))],
                };
                _strands.Add(s);
                objective.SetCoefficient(s.Out[0], road.Weight);
                objective.SetCoefficient(s.In[0], road.Weight);
                if (_case.HasEqualBands)
                {
                    _solver.Add(s.Out[0] == s.In[0]);
                }

                for (int i = 0; i < n; i++)
                {
                    Fits(s.OutSlack[i], s.Out[0], s.Red(i));
                    Fits(s.InSlack[i], s.In[0], s.Red(i));
                }

                for (int i = 0; i < n - 1; i++)
                {
                    double half = 0.5 * (s.Red(i) - s.Red(i + 1));
                    Variable from = _offsets[road.Nodes[i]], to = _offsets[road.Nodes[i + 1]];
                    Variable outLoops = WholeWithin([from, s.OutSlack[i], s.OutTime[i]], [to, s.OutSlack[i + 1]], half, half), inLoops = WholeWithin([to, s.InSlack[i], s.InTime[i]], [from, s.InSlack[i + 1]], half, half);
                    if (isIncluded)
                    {
                        _solver.Add(from - to + s.OutSlack[i] - s.OutSlack[i + 1] + s.OutTime[i] - outLoops == -half);
                        _solver.Add(to - from - s.InSlack[i + 1] + s.InSlack[i] + s.InTime[i] - inLoops == -half);
                    }
                }
            }
        }

        /// <summary>A band that comes so long after red has ended is over when it begins again; where there is no red, it may come at any time.</summary>
        private void Fits(Variable slack, Variable band, double red)
        {
            if (red > Least)
            {
                _solver.Add(slack + band <= 1 - red);
            }
        }

        /// <summary>The same for a band around the progression line.</summary>
        private void FitsAbout(Variable slack, Variable band, double red)
        {
            if (red > Least)
            {
                _solver.Add(slack >= 0.5 * band);
                _solver.Add(slack + (0.5 * band) <= 1 - red);
            }
        }

        /// <summary>How long a link takes, in cycles.</summary>
        private Variable Time(double metres, (double Least, double Most) speed)
        {
            Variable cycles = Real(metres / speed.Most / _case.CycleSeconds.Most, metres / speed.Least / _case.CycleSeconds.Least);
            _solver.Add(cycles >= metres / speed.Most * _slowness);
            _solver.Add(cycles <= metres / speed.Least * _slowness);
            return cycles;
        }

        /// <summary>Bounds of the difference of a signal's reds.</summary>
        private static (double Least, double Most) DeltaRange(BandSignal signal) => signal.Patterns.Count == 0
            ? (signal.Delta, signal.Delta)
            : (signal.Patterns.Min(signal.DeltaOf), signal.Patterns.Max(signal.DeltaOf));

        private static (double Least, double Most) Negative((double Least, double Most) range) => (-range.Most, -range.Least);

        private static (double Least, double Most) Sum(params ReadOnlySpan<(double Least, double Most)> ranges)
        {
            (double least, double most) = (0, 0);
            foreach ((double low, double high) in ranges)
            {
                (least, most) = (least + low, most + high);
            }

            return (least, most);
        }

        /// <summary>An integer that equals a sum of variables and constants, with the bounds that these leave it: solvers branch less.</summary>
        private Variable WholeWithin(ReadOnlySpan<Variable> added, ReadOnlySpan<Variable> taken, double least, double most, double times = 1)
        {
            foreach (Variable v in added)
            {
                (least, most) = (least + v.Lb(), most + v.Ub());
            }

            foreach (Variable v in taken)
            {
                (least, most) = (least - v.Ub(), most - v.Lb());
            }

            return Whole(Math.Ceiling((least * times) - 1e-6), Math.Floor((most * times) + 1e-6));
        }

        private void LimitSlowness(Variable[] times, double[] metres, (double Least, double Most) change)
        {
            for (int i = 0; i + 1 < times.Length; i++)
            {
                _solver.Add((metres[i] / metres[i + 1] * times[i + 1]) - times[i] >= metres[i] * change.Least * _slowness);
                _solver.Add((metres[i] / metres[i + 1] * times[i + 1]) - times[i] <= metres[i] * change.Most * _slowness);
            }
        }

        private Variable Real(double low, double high) => _solver.MakeNumVar(low, high, string.Empty);

        private Variable Whole(double low, double high)
        {
            double? held = _fixed?[_integers.Count];
            Variable variable = held is { } value ? _solver.MakeNumVar(value, value, string.Empty) : _solver.MakeIntVar(low, high, string.Empty);
            _integers.Add(variable);
            return variable;
        }
    }

    /// <summary>The variables of one arterial.</summary>
    private sealed class Strand
    {
        public required BandCase Case { get; init; }

        public BandArterial? Road { get; init; }

        public Variable[]? Offsets { get; init; }

        public required Variable[] Out { get; init; }

        public required Variable[] In { get; init; }

        /// <summary>From the end of outbound red to the band, or to the progression line.</summary>
        public required Variable[] OutSlack { get; init; }

        /// <summary>From the inbound band, or line, to the beginning of red.</summary>
        public required Variable[] InSlack { get; init; }

        public required Variable[] OutTime { get; init; }

        public required Variable[] InTime { get; init; }

        public LinearExpr[] Delta { get; init; } = [];

        public (Variable Out, Variable In)?[] Choice { get; init; } = [];

        public IReadOnlyList<LeftTurnPattern> Patterns => [.. Choice.Where(c => c is not null).Select(c => (Math.Round(c!.Value.Out.SolutionValue()), Math.Round(c.Value.In.SolutionValue())) switch
        {
            (0, 1) => LeftTurnPattern.LeadLag,
            (1, 0) => LeftTurnPattern.LagLead,
            (0, 0) => LeftTurnPattern.LeadLead,
            _ => LeftTurnPattern.LagLag,
        })];

        public double Red(int i) => Road!.IsCross ? Case.Signals[Road.Nodes[i]].InRed : Case.Signals[Road.Nodes[i]].OutRed;

        public ArterialPlan Plan(double cycle)
        {
            int n = OutSlack.Length;
            double[] outMiddle = new double[n], inMiddle = new double[n], outRed = new double[n], inRed = new double[n], outTravel = new double[n - 1], inTravel = new double[n - 1];
            for (int i = 0; i < n; i++)
            {
                if (Road is not null)
                {
                    outMiddle[i] = inMiddle[i] = Offsets![Road.Nodes[i]].SolutionValue() + (Road.IsCross ? 0.5 : 0);
                    outRed[i] = inRed[i] = Red(i);
                    continue;
                }

                BandSignal signal = Case.Signals[i];
                (outRed[i], inRed[i]) = (signal.OutRed, signal.InRed);
                if (i > 0)
                {
                    outMiddle[i] = outMiddle[i - 1] + (0.5 * outRed[i - 1]) + OutSlack[i - 1].SolutionValue() + OutTime[i - 1].SolutionValue() - OutSlack[i].SolutionValue() - (0.5 * outRed[i]) - signal.OutClearance;
                }

                inMiddle[i] = outMiddle[i] - (Choice[i] is { } choice
                    ? (signal.OutLeft * (choice.Out.SolutionValue() - 0.5)) - (signal.InLeft * (choice.In.SolutionValue() - 0.5))
                    : signal.Delta);
            }

            for (int i = 0; i < n - 1; i++)
            {
                outTravel[i] = (OutTime[i].SolutionValue() - (Road is null ? Case.Signals[i + 1].OutClearance : 0)) * cycle;
                inTravel[i] = (InTime[i].SolutionValue() - (Road is null ? Case.Signals[i].InClearance : 0)) * cycle;
            }

            return new ArterialPlan(
                cycle,
                Starts(outMiddle, outRed),
                [.. outRed.Select(r => (1 - r) * cycle)],
                Starts(inMiddle, inRed),
                [.. inRed.Select(r => (1 - r) * cycle)],
                outTravel,
                inTravel)
            {
                IsOneWay = Case.Street is { IsOneWay: true },
                OutMetres = [.. Road?.Metres ?? Case.Links.Select(l => l.OutMetres)],
                InMetres = [.. Road?.Metres ?? Case.Links.Select(l => l.InMetres)],
                OutLeadSeconds = Road is null ? [.. Case.Signals.Skip(1).Select(s => s.OutClearance * cycle)] : [],
                InLeadSeconds = Road is null ? [.. Case.Signals.SkipLast(1).Select(s => s.InClearance * cycle)] : [],
            };

            // Green begins when red ends.
            double[] Starts(double[] middle, double[] red) => [.. middle.Select((m, i) => Cycles.Within(m + (red[i] / 2), 1) * cycle)];
        }
    }
}
