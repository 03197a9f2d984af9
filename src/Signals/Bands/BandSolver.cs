using Google.OrTools.LinearSolver;

namespace V2XSim.Signals.Bands;

/// <summary>
/// Finds the widest bands by mixed-integer programming: MAXBAND (Little 1966; Little, Kelson, Gartner 1981), MULTIBAND (Gartner, Assmann, Lasaga, Hou
/// 1991) and bands on a network. The integers that a solver finds are fixed and the rest is solved again as a linear programme, so that
/// figures are exact to the solver's last digits.
/// </summary>
public static class BandSolver
{
    /// <param name="problem">What to solve.</param>
    /// <param name="limit">When to stop with what has been found by then.</param>
    /// <param name="backend">Solver of OR-Tools.</param>
    /// <exception cref="InvalidOperationException">There is no plan at all.</exception>
    public static BandSolution Solve(BandCase problem, TimeSpan limit, string backend = "SCIP")
    {
        using var model = new Model(problem, backend);
        model.Build();
        (double bound, bool isProven) = model.Run(limit);
        using var exact = new Model(problem, "GLOP");
        exact.Build(model.Integers);
        exact.Run(limit);
        double objective = exact.Objective;
        return exact.Read(isProven ? 0 : Math.Max(0, (bound - objective) / Math.Max(objective, 1e-9)));
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
            inTravel);
    }

    private sealed class Model : IDisposable
    {
        /// <summary>A link is passed within so many cycles.</summary>
        private const double MaximumCycles = 100;
        private readonly BandCase _case;
        private readonly Solver _solver;
        private readonly List<Variable> _integers = [];
        private Variable _slowness = null!;
        private readonly List<Strand> _strands = [];
        private IReadOnlyList<double>? _fixed;
        private Variable[]? _offsets;

        public Model(BandCase problem, string backend) => (_case, _solver) = (problem, Solver.CreateSolver(backend) ?? throw new InvalidOperationException($"OR-Tools has no solver {backend} here"));

        /// <summary>Values of the integers, in order of their making.</summary>
        public IReadOnlyList<double> Integers => [.. _integers.Select(v => Math.Round(v.SolutionValue()))];

        public double Objective => _solver.Objective().Value();

        /// <param name="integers">Values that they are held to; null leaves them free.</param>
        public void Build(IReadOnlyList<double>? integers = null)
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

        public (double Bound, bool IsProven) Run(TimeSpan limit)
        {
            _solver.SetTimeLimit((long)limit.TotalMilliseconds);
            using var parameters = new MPSolverParameters();
            parameters.SetDoubleParam(MPSolverParameters.DoubleParam.RELATIVE_MIP_GAP, 1e-9);
            Solver.ResultStatus status = _solver.Solve(parameters);
            if (status is not (Solver.ResultStatus.OPTIMAL or Solver.ResultStatus.FEASIBLE))
            {
                throw new InvalidOperationException($"no plan was found: {status}");
            }

            bool isProven = status == Solver.ResultStatus.OPTIMAL;
            return (isProven ? Objective : _solver.Objective().BestBound(), isProven);
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
                OutSlack = [.. Enumerable.Range(0, n).Select(_ => Real(0, 1))],
                InSlack = [.. Enumerable.Range(0, n).Select(_ => Real(0, 1))],
                OutTime = [.. Enumerable.Range(0, n - 1).Select(_ => Real(0, MaximumCycles))],
                InTime = [.. Enumerable.Range(0, n - 1).Select(_ => Real(0, MaximumCycles))],
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
                    _solver.Add(s.OutSlack[i] + s.Out[0] <= 1 - signal.OutRed);
                    _solver.Add(s.InSlack[i] + s.In[0] <= 1 - signal.InRed);
                    continue;
                }

                // Bands of the links before and after it lie about the progression line.
                for (int link = Math.Max(0, i - 1); link <= Math.Min(n - 2, i); link++)
                {
                    _solver.Add(s.OutSlack[i] >= 0.5 * s.Out[link]);
                    _solver.Add(s.OutSlack[i] + (0.5 * s.Out[link]) <= 1 - signal.OutRed);
                    _solver.Add(s.InSlack[i] >= 0.5 * s.In[link]);
                    _solver.Add(s.InSlack[i] + (0.5 * s.In[link]) <= 1 - signal.InRed);
                }
            }

            for (int i = 0; i < n - 1; i++)
            {
                BandLink link = _case.Links[i];
                BandSignal a = _case.Signals[i], b = _case.Signals[i + 1];
                Travel(s.OutTime[i], link.OutMetres, link.OutSpeed);
                Travel(s.InTime[i], link.InMetres, link.InSpeed);
                Variable loops = Whole(-MaximumCycles, MaximumCycles);
                _solver.Add(s.OutSlack[i] + s.InSlack[i] - s.OutSlack[i + 1] - s.InSlack[i + 1] + s.OutTime[i] + s.InTime[i] + s.Delta[i] - s.Delta[i + 1] - loops
                    == (0.5 * (b.OutRed + b.InRed)) - (0.5 * (a.OutRed + a.InRed)) + a.InClearance + b.OutClearance);
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
            foreach (BandArterial road in _case.Arterials)
            {
                int n = road.Nodes.Count;
                var s = new Strand
                {
                    Case = _case,
                    Road = road,
                    Offsets = _offsets,
                    Out = [Real(0, 1)],
                    In = [Real(0, 1)],
                    OutSlack = [.. Enumerable.Range(0, n).Select(_ => Real(0, 1))],
                    InSlack = [.. Enumerable.Range(0, n).Select(_ => Real(0, 1))],
                    OutTime = [.. Enumerable.Range(0, n - 1).Select(_ => Real(0, MaximumCycles))],
                    InTime = [.. Enumerable.Range(0, n - 1).Select(_ => Real(0, MaximumCycles))],
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
                    _solver.Add(s.OutSlack[i] + s.Out[0] <= 1 - s.Red(i));
                    _solver.Add(s.InSlack[i] + s.In[0] <= 1 - s.Red(i));
                }

                for (int i = 0; i < n - 1; i++)
                {
                    Travel(s.OutTime[i], road.Metres[i], _case.Speed);
                    Travel(s.InTime[i], road.Metres[i], _case.Speed);
                    double half = 0.5 * (s.Red(i) - s.Red(i + 1));
                    Variable a = _offsets[road.Nodes[i]], b = _offsets[road.Nodes[i + 1]];
                    _solver.Add(a - b + s.OutSlack[i] - s.OutSlack[i + 1] + s.OutTime[i] - Whole(-MaximumCycles, MaximumCycles) == -half);
                    _solver.Add(b - a - s.InSlack[i + 1] + s.InSlack[i] + s.InTime[i] - Whole(-MaximumCycles, MaximumCycles) == -half);
                }
            }
        }

        private void Travel(Variable cycles, double metres, (double Least, double Most) speed)
        {
            _solver.Add(cycles >= metres / speed.Most * _slowness);
            _solver.Add(cycles <= metres / speed.Least * _slowness);
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
                inTravel);

            // Green begins when red ends.
            double[] Starts(double[] middle, double[] red) => [.. middle.Select((m, i) => Cycles.Within(m + (red[i] / 2), 1) * cycle)];
        }
    }
}
