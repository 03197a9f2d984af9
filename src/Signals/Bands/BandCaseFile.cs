using System.Globalization;
using System.Text.Json;
using V2XSim.Kernel;

namespace V2XSim.Signals.Bands;

/// <summary>Reads problems of coordination from JSON; units are in the names (<c>_s</c>, m, m/s), times of signals are shares of the cycle.</summary>
public static class BandCaseFile
{
    /// <exception cref="BadInputException">It is not such a file, or says something that cannot be.</exception>
    public static BandCase Read(Stream source, string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(source);
            return new Reader(file).Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new BadInputException(file, string.Empty, $"it is not JSON: {e.Message}", "give a case of coordination", (int)(e.LineNumber ?? 0) + 1);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException(file, string.Empty, $"a value is not of its type: {e.Message}", "give numbers, texts and lists as in a case of coordination");
        }
    }

    private sealed class Reader(string file)
    {
        public BandCase Read(JsonElement root)
        {
            string model = Text(root, "model", string.Empty);
            (double, double) cycle = Range(root, "cycle_s", string.Empty, 1, 1000);
            string id = root.TryGetProperty("id", out JsonElement named) ? named.GetString() ?? string.Empty : string.Empty;
            return model switch
            {
                "MAXBAND" or "MULTIBAND" => Arterial(root, id, model == "MAXBAND" ? BandModel.MaxBand : BandModel.MultiBand, cycle),
                "NETBAND" => Network(root, id, cycle),
                _ => throw Error("model", $"there is no model '{model}'", "one of MAXBAND, MULTIBAND, NETBAND"),
            };
        }

        private BandCase Arterial(JsonElement root, string id, BandModel model, (double, double) cycle)
        {
            List<BandSignal> signals = [.. List(root, "signals").Select((s, i) => Signal(s, string.Create(CultureInfo.InvariantCulture, $"signals[{i}].")))];
            List<BandLink> links = [.. List(root, "links").Select((l, i) => Link(l, string.Create(CultureInfo.InvariantCulture, $"links[{i}].")))];
            if (signals.Count < 2 || links.Count != signals.Count - 1)
            {
                throw Error("links", string.Create(CultureInfo.InvariantCulture, $"there are {links.Count} links between {signals.Count} signals"), "give a link between each two of at least two signals");
            }

            JsonElement objective = root.TryGetProperty("objective", out JsonElement stated) ? stated : default;
            string ratio = objective.ValueKind == JsonValueKind.Object && objective.TryGetProperty("ratio", out JsonElement r) ? r.GetString() ?? string.Empty : "equal";
            return new BandCase
            {
                Id = id,
                Model = model,
                CycleSeconds = cycle,
                Signals = signals,
                Links = links,
                Weight = objective.ValueKind == JsonValueKind.Object ? Number(objective, "k", "objective.", 0, 1000, 1) : 1,
                Ratio = ratio switch
                {
                    "equal" => BandRatio.Equal,
                    "none" => BandRatio.None,
                    "maxband81" => BandRatio.MaxBand81,
                    _ => throw Error("objective.ratio", $"there is no ratio '{ratio}'", "one of equal, none, maxband81"),
                },
                SlownessChange = root.TryGetProperty("dslow", out JsonElement change) && change.ValueKind != JsonValueKind.Null ? Change(change) : null,
            };
        }

        private BandCase Network(JsonElement root, string id, (double, double) cycle)
        {
            var names = new Dictionary<string, int>(StringComparer.Ordinal);
            var signals = new List<BandSignal>();
            if (!root.TryGetProperty("signals", out JsonElement nodes) || nodes.ValueKind != JsonValueKind.Object)
            {
                throw Error("signals", "it is missing", "give reds by signal");
            }

            foreach (JsonProperty node in nodes.EnumerateObject())
            {
                names.Add(node.Name, signals.Count);
                signals.Add(new BandSignal { Name = node.Name, OutRed = Number(node.Value, "r_ew", $"signals.{node.Name}.", 0, 1), InRed = Number(node.Value, "r_ns", $"signals.{node.Name}.", 0, 1) });
            }

            return new BandCase
            {
                Id = id,
                Model = BandModel.NetBand,
                CycleSeconds = cycle,
                Signals = signals,
                Speed = Range(root, "v_mps", string.Empty, 0.1, 100),
                HasEqualBands = !root.TryGetProperty("equal_bands", out JsonElement equal) || equal.ValueKind == JsonValueKind.True,
                Arterials = [.. List(root, "arterials").Select((a, i) => Road(a, string.Create(CultureInfo.InvariantCulture, $"arterials[{i}].")))],
            };

            BandArterial Road(JsonElement a, string where)
            {
                int[] along = [.. List(a, "nodes").Select(n => names.TryGetValue(n.GetString() ?? string.Empty, out int index) ? index : throw Error(where + "nodes", $"there is no signal '{n}'", "name one of signals"))];
                double[] metres = [.. List(a, "d").Select(d => d.ValueKind == JsonValueKind.Number ? d.GetDouble() : throw Error(where + "d", "it is not a list of numbers", "give metres"))];
                if (along.Length < 2 || metres.Length != along.Length - 1)
                {
                    throw Error(where + "d", "it has not one length between each two nodes", "give one");
                }

                string axis = Text(a, "axis", where);
                return new BandArterial(Text(a, "name", where), axis == "ns" || (axis != "ew" ? throw Error(where + "axis", $"'{axis}' is no axis", "ew or ns") : false), along, metres, Number(a, "weight", where, 0, 1e6, 1));
            }
        }

        private BandSignal Signal(JsonElement s, string where)
        {
            List<LeftTurnPattern> patterns = s.TryGetProperty("patterns", out JsonElement listed) && listed.ValueKind == JsonValueKind.Array
                ? [.. listed.EnumerateArray().Select(p => p.GetString() switch
                {
                    "lead-lag" => LeftTurnPattern.LeadLag,
                    "lag-lead" => LeftTurnPattern.LagLead,
                    "lead-lead" => LeftTurnPattern.LeadLead,
                    "lag-lag" => LeftTurnPattern.LagLag,
                    var other => throw Error(where + "patterns", $"there is no pattern '{other}'", "one of lead-lag, lag-lead, lead-lead, lag-lag"),
                })]
                : [];
            return new BandSignal
            {
                Name = s.TryGetProperty("name", out JsonElement name) ? name.GetString() ?? string.Empty : string.Empty,
                OutRed = Number(s, "r_out", where, 0, 1),
                InRed = Number(s, "r_in", where, 0, 1),
                Delta = Number(s, "delta", where, -1, 1, 0),
                OutLeft = Number(s, "l_out", where, 0, 1, 0),
                InLeft = Number(s, "l_in", where, 0, 1, 0),
                Patterns = patterns,
                OutClearance = Number(s, "tau_out", where, 0, 1, 0),
                InClearance = Number(s, "tau_in", where, 0, 1, 0),
            };
        }

        private BandLink Link(JsonElement l, string where) => new()
        {
            OutMetres = Number(l, "d_out", where, 0, 1e6),
            InMetres = Number(l, "d_in", where, 0, 1e6),
            OutSpeed = Range(l, "v_out", where, 0.1, 100),
            InSpeed = Range(l, "v_in", where, 0.1, 100),
            OutWeight = Number(l, "a_out", where, 0, 1e6, 1),
            InWeight = Number(l, "a_in", where, 0, 1e6, 1),
            Ratio = Number(l, "k", where, 0, 1e6, 1),
        };

        private (double, double) Change(JsonElement change)
        {
            if (change.ValueKind == JsonValueKind.Number)
            {
                return (-change.GetDouble(), change.GetDouble());
            }

            return change.ValueKind == JsonValueKind.Array && change.GetArrayLength() == 2 ? (change[0].GetDouble(), change[1].GetDouble()) : throw Error("dslow", "it is neither a number nor two", "give s/m");
        }

        private (double, double) Range(JsonElement parent, string name, string where, double low, double high)
        {
            if (!parent.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 2)
            {
                throw Error(where + name, "it is not a list of two numbers", "give the least and the most");
            }

            (double least, double most) = (value[0].GetDouble(), value[1].GetDouble());
            return least >= low && most <= high && least <= most ? (least, most) : throw Error(where + name, string.Create(CultureInfo.InvariantCulture, $"{least} to {most} is not a range within {low} to {high}"), "correct it");
        }

        private double Number(JsonElement parent, string name, string where, double low, double high, double? otherwise = null)
        {
            if (!parent.TryGetProperty(name, out JsonElement value))
            {
                return otherwise ?? throw Error(where + name, "it is missing", "give it");
            }

            return value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number >= low && number <= high
                ? number
                : throw Error(where + name, string.Create(CultureInfo.InvariantCulture, $"{value} is not a number from {low} to {high}"), "correct it");
        }

        private string Text(JsonElement parent, string name, string where) =>
            parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Error(where + name, "it is missing", "give it");

        private JsonElement.ArrayEnumerator List(JsonElement parent, string name) =>
            parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Error(name, "it is missing, or no list", "give it");

        private BadInputException Error(string field, string message, string remedy) => new(file, field, message, remedy);
    }
}
