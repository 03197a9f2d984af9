using V2XSim.Signals.Bands;

namespace V2XSim.Signals.Arterials;

/// <summary>What a model says of vehicles along a street.</summary>
/// <param name="DelaySeconds">Sum over all signals, for a vehicle that drives the whole street, mean of both directions.</param>
/// <param name="Stops">The same for stops.</param>
public readonly record struct ProfileFigures(double DelaySeconds, double Stops)
{
    /// <summary>What a stop weighs, in seconds of delay.</summary>
    public const double StopSeconds = 8;

    public double Index => DelaySeconds + (StopSeconds * Stops);
}

/// <summary>
/// Flow profiles over the cycle, second by second, handed from signal to signal with platoon dispersion (Robertson, TRANSYT, 1969): what leaves a
/// signal arrives at the next one later and more spread out, waits for green and leaves at the saturation flow. Streets across do not depend on
/// offsets, so they are not in it.
/// </summary>
public static class CyclicFlowProfiles
{
    /// <summary>Dispersion under moderate friction, and the share of the mean travel time that the first of a platoon take.</summary>
    private const double Alpha = 0.35, Beta = 0.8;

    /// <summary>Cycles after which queues are what they stay, where they do not grow for ever.</summary>
    private const int Rounds = 3;

    /// <summary>A vehicle that waits this long counts as stopped; one that waits less has slowed down and counts in part (as in TRANSYT).</summary>
    private const double FullStopSeconds = 8;

    public static ProfileFigures Of(ArterialPlan plan, ArterialVolume volume)
    {
        int n = plan.OutStart.Count;
        (double outDelay, double outStops) = Direction(plan.CycleSeconds, plan.OutStart, plan.OutGreen, plan.OutTravel, volume.OutVehiclesPerHour, volume.SaturationVehiclesPerHour);
        (double inDelay, double inStops) = Direction(
            plan.CycleSeconds, [.. plan.InStart.Reverse()], [.. plan.InGreen.Reverse()], [.. plan.InTravel.Take(n - 1).Reverse()], volume.InVehiclesPerHour, volume.SaturationVehiclesPerHour);
        double all = volume.OutVehiclesPerHour + volume.InVehiclesPerHour;
        return all <= 0
            ? default
            : new ProfileFigures(
                ((outDelay * volume.OutVehiclesPerHour) + (inDelay * volume.InVehiclesPerHour)) / all, ((outStops * volume.OutVehiclesPerHour) + (inStops * volume.InVehiclesPerHour)) / all);
    }

    /// <summary>Whole-second offsets under which the index is least, by climbing from where the plan stands: large moves first.</summary>
    /// <returns>When outbound green begins at each signal, the first where it was.</returns>
    public static double[] Search(ArterialPlan start, ArterialVolume volume)
    {
        double cycle = start.CycleSeconds;
        double[] moved = new double[start.OutStart.Count];
        double best = Of(start, volume).Index;
        foreach (double share in (double[])[0.5, 0.25, 0.15, 0.4, 0.1, 0.05, 0.02, 0])
        {
            double step = Math.Max(1, Math.Round(share * cycle));
            bool hasMoved = true;
            while (hasMoved)
            {
                hasMoved = false;
                for (int i = 1; i < moved.Length; i++)
                {
                    // One signal alone, or it and all behind it.
                    foreach ((double by, bool isTail) in (ReadOnlySpan<(double, bool)>)[(step, false), (-step, false), (step, true), (-step, true)])
                    {
                        double[] tried = [.. moved.Select((m, j) => j == i || (isTail && j > i) ? m + by : m)];
                        double index = Of(Shifted(start, tried), volume).Index;
                        if (index < best - 1e-9)
                        {
                            (moved, best, hasMoved) = (tried, index, true);
                        }
                    }
                }
            }
        }

        return [.. start.OutStart.Select((s, i) => Cycles.Within(s + moved[i], cycle))];
    }

    /// <summary>The plan with each signal moved.</summary>
    public static ArterialPlan Shifted(ArterialPlan plan, IReadOnlyList<double> by) => plan with
    {
        OutStart = [.. plan.OutStart.Select((s, i) => Cycles.Within(s + by[i], plan.CycleSeconds))],
        InStart = [.. plan.InStart.Select((s, i) => Cycles.Within(s + by[i], plan.CycleSeconds))],
    };

    private static (double DelaySeconds, double Stops) Direction(
        double cycleSeconds, IReadOnlyList<double> starts, IReadOnlyList<double> greens, IReadOnlyList<double> travel, double vehiclesPerHour, double saturationPerHour)
    {
        int cycle = Math.Max(1, (int)Math.Round(cycleSeconds));
        double mean = vehiclesPerHour / 3600, saturation = saturationPerHour / 3600, delay = 0, stops = 0;
        if (mean <= 0)
        {
            return (0, 0);
        }

        double[] arrivals = new double[cycle], leaving = new double[cycle];
        Array.Fill(arrivals, mean);
        for (int i = 0; i < starts.Count; i++)
        {
            double queue = 0, waited = 0, stopped = 0, come = 0, gone = 0;
            int measured = cycle * (Rounds - 1), next = measured;
            for (int t = 0; t < cycle * (Rounds + 1); t++)
            {
                int s = t % cycle;
                bool isGreen = greens[i] >= cycle || Cycles.Within(s - starts[i], cycle) < greens[i];
                double there = queue + arrivals[s], left = isGreen ? Math.Min(there, saturation) : 0;
                gone += left;
                if (t >= measured && t < measured + cycle)
                {
                    waited += there - left;
                    leaving[s] = left;
                }

                // Those of the measured cycle leave in the order in which they have come.
                for (; next <= t && next < measured + cycle && gone >= come + arrivals[next % cycle] - 1e-9; next++)
                {
                    come += arrivals[next % cycle];
                    stopped += arrivals[next % cycle] * Math.Min(1, (t - next) / FullStopSeconds);
                }

                if (t == measured - 1)
                {
                    (come, gone) = (there - left, 0);
                }

                queue = there - left;
            }

            // A vehicle that has not left one cycle later has stopped.
            for (; next < measured + cycle; next++)
            {
                stopped += arrivals[next % cycle];
            }

            delay += waited / (mean * cycle);
            stops += stopped / (mean * cycle);
            if (i < travel.Count)
            {
                double smoothing = 1 / (1 + (Alpha * Beta * travel[i]));
                int shift = (int)Math.Round(Beta * travel[i]);
                double arriving = mean;
                for (int t = 0; t < cycle * Rounds; t++)
                {
                    arriving = (smoothing * leaving[t % cycle]) + ((1 - smoothing) * arriving);
                    arrivals[(t + shift) % cycle] = arriving;
                }
            }
        }

        return (delay, stops);
    }
}
