using CsCheck;
using V2XSim.Tracking;
using Xunit;

namespace V2XSim.Domain.Tests.Tracking;

public class AssignmentTests
{
    [Fact]
    public void The_total_gain_is_that_of_the_best_of_all_assignments() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[-3, 12].Array[36]).Sample((rows, columns, gains) =>
        {
            var assignment = new Assignment();
            for (int r = 0; r < rows; r++)
            {
                for (int c = 0; c < columns; c++)
                {
                    assignment.Allow(r, c, gains[(r * 6) + c]);
                }
            }

            int[] columnOf = new int[rows];
            assignment.Solve(rows, columns, columnOf);

            double gain = Enumerable.Range(0, rows).Where(r => columnOf[r] >= 0).Sum(r => gains[(r * 6) + columnOf[r]]);
            Assert.Equal(Best(0, 0), gain);
            int[] used = [.. columnOf.Where(c => c >= 0)];
            Assert.Equal(used.Length, used.Distinct().Count());

            int Best(int row, int taken)
            {
                if (row == rows)
                {
                    return 0;
                }

                int best = Best(row + 1, taken);
                for (int c = 0; c < columns; c++)
                {
                    if ((taken & (1 << c)) == 0 && gains[(row * 6) + c] > 0)
                    {
                        best = Math.Max(best, gains[(row * 6) + c] + Best(row + 1, taken | (1 << c)));
                    }
                }

                return best;
            }
        }, iter: 3000);

    [Fact]
    public void A_pair_that_gains_nothing_is_never_made()
    {
        var assignment = new Assignment();
        assignment.Allow(0, 0, 0);
        assignment.Allow(1, 0, -2);
        int[] columnOf = new int[2];

        assignment.Solve(2, 1, columnOf);

        Assert.Equal([-1, -1], columnOf);
    }

    [Fact]
    public void One_solver_solves_problem_after_problem()
    {
        var assignment = new Assignment();
        int[] columnOf = new int[40];
        for (int n = 1; n <= 40; n++)
        {
            assignment.Clear();
            for (int i = 0; i < n; i++)
            {
                assignment.Allow(i, (i + 1) % n, 5);
                assignment.Allow(i, i, 4);
            }

            assignment.Solve(n, n, columnOf);

            Assert.Equal(Enumerable.Range(0, n).Select(i => (i + 1) % n), columnOf.Take(n));
        }
    }
}
