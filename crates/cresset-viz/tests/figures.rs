//! Figures as files: sizes, texts, scales, and the cases without data.

use std::io::Cursor;

use cresset_nn::Parameter;
use cresset_tensor::{DType, Tensor};
use cresset_viz::{
    Axes, Figure, Histogram, Scale, confusion_matrix, confusion_text, histogram, image_grid, training_curves,
};

/// Size and RGB rows of a PNG.
fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (info.width, info.height, pixels)
}

fn count(pixels: &[u8], wanted: impl Fn(&[u8]) -> bool) -> usize {
    pixels.chunks(3).filter(|p| wanted(p)).count()
}

#[test]
fn histogram_counts_equal_numpy() {
    // numpy 2.4.6: numpy.histogram(values, bins=10), values from the line below.
    let values: Vec<f64> = (0..200).map(|i| (i * i % 101) as f64 * 0.1).collect();
    let h = histogram(&values, 10);
    assert_eq!(h.counts, NUMPY_COUNTS);
    assert_eq!(h.counts.iter().sum::<u64>(), 200);
    let area: f64 = h.density().iter().zip(h.edges.windows(2)).map(|(d, e)| d * (e[1] - e[0])).sum();
    assert!((area - 1.0).abs() < 1e-12);
    // Borders: the last bin is closed, the others only on the left.
    assert_eq!(histogram(&[0.0, 0.1, 0.2, 0.3], 3).counts, [1, 1, 2]);
    assert_eq!(histogram(&[5, 5, 5_i64], 2), Histogram { counts: vec![0, 3], edges: vec![4.5, 5.0, 5.5] });
    assert_eq!(histogram(&[f64::NAN, 1.0, f64::INFINITY, 2.0], 2).counts, [1, 1]);
    assert_eq!(histogram::<[f32]>(&[], 2), Histogram { counts: vec![0, 0], edges: vec![0.0, 0.5, 1.0] });
}

const NUMPY_COUNTS: [u64; 10] = [20, 20, 24, 20, 16, 16, 12, 24, 28, 20];

/// numpy 2.4.6, numpy.histogram of float32 arrays: weights in 50 bins, and values on a lattice that meets the borders in 36.
#[test]
fn histogram_counts_of_single_precision_equal_numpy() {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 40) as f32 / 16_777_216.0 - 0.5) * 0.0714
    };
    let weights: Vec<f32> = (0..200_000).map(|_| draw()).collect();
    let counts: [u64; 50] = [
        4051, 3944, 4013, 3892, 4086, 3990, 3855, 4019, 4061, 4049, 4127, 3938, 3946, 4024, 4022, 3965, 3943, 3880,
        4092, 4072, 4003, 4028, 3943, 4031, 3910, 3942, 4051, 4062, 4080, 4113, 4089, 3993, 3966, 4026, 3934, 3992,
        3882, 4040, 4030, 3999, 4065, 3954, 3946, 4061, 3988, 3924, 4030, 4009, 3999, 3941,
    ];
    assert_eq!(histogram(&weights, 50).counts, counts);
    let lattice: Vec<f32> = weights[..20_000].iter().map(|w| (w * 1000.0).round_ties_even() / 1000.0).collect();
    let counts: [u64; 36] = [
        603, 563, 275, 844, 559, 282, 551, 554, 540, 852, 298, 526, 559, 590, 557, 603, 524, 546, 852, 585, 295, 554,
        536, 562, 562, 581, 537, 606, 555, 562, 560, 554, 548, 591, 557, 577,
    ];
    assert_eq!(histogram(&lattice, 36).counts, counts);
}

#[test]
fn png_has_the_size_and_the_colours() {
    let mut fig = Figure::new(4.0, 3.0);
    fig.subplot(1, 1, 1).plot(&[0.0, 1.0, 2.0], &[0.0_f32, 1.0, 0.5]).color("red").linewidth(3.0).title("t");
    let (width, height, pixels) = decode(&fig.to_png());
    assert_eq!((width, height), (400, 300));
    assert!(count(&pixels, |p| p == [255, 0, 0]) > 300);
    assert!(count(&pixels, |p| p == [255, 255, 255]) > 90_000);
    fig.dpi(50.0);
    let (width, height, _) = decode(&fig.to_png());
    assert_eq!((width, height), (200, 150));
}

#[test]
fn svg_holds_every_text() {
    let mut fig = Figure::new(8.0, 4.0);
    fig.suptitle("above & over");
    let ax = fig.subplot(1, 2, 1);
    ax.plot_y(&[1, 2, 3_i64]).label("series <a>").title("训练曲线").xlabel("轮次").ylabel("损失").legend();
    fig.subplot(1, 2, 2).bar(&["cat", "dog"], &[1.0, 2.0]).title("bars");
    let svg = fig.to_svg();
    for text in
        ["above &amp; over", "series &lt;a&gt;", "训练曲线", "轮次", "损失", "cat", "dog", "bars", "Noto Sans CJK SC"]
    {
        assert!(svg.contains(text), "{text}");
    }
    assert!(svg.starts_with("<svg width=\"800\" height=\"400\" viewBox=\"0 0 8000 4000\""));
    assert_eq!((svg.matches("<svg").count(), svg.matches("</svg>").count()), (1, 1));
}

#[test]
fn log_axis_draws_powers_and_skips_what_has_none() {
    let mut fig = Figure::new(5.0, 4.0);
    fig.subplot(1, 1, 1).plot(&[1, 2, 3, 4_i64], &[1e-3, 1.0, -5.0, 1e3]).yscale(Scale::Log);
    let svg = fig.to_svg();
    for label in ["10⁻³", "10⁰", "10³"] {
        assert!(svg.contains(label), "{label}");
    }
    assert!(!svg.contains("NaN"));
    // The value below zero is a gap: only the first two points are joined.
    assert_eq!(svg.matches("<polyline").count(), 1);
}

#[test]
fn figures_without_data_are_drawn() {
    let mut fig = Figure::new(6.0, 4.0);
    let none: [f64; 0] = [];
    fig.subplot(2, 3, 1).plot(&none, &none).legend();
    fig.subplot(2, 3, 2).hist(&none, 5).yscale(Scale::Log);
    fig.subplot(2, 3, 3).bar::<&str, _>(&[], &none);
    fig.subplot(2, 3, 4).plot(&[f64::NAN], &[1.0]).plot(&[1.0], &[f64::INFINITY]).xscale(Scale::Log);
    fig.subplot(2, 3, 5).heatmap((&[f64::NAN; 4], [2, 2])).annotate(1).colorbar("");
    fig.subplot(2, 3, 6).fill_between(&none, &none, &none).scatter(&none, &none).label("nothing").legend();
    let (width, height, _) = decode(&fig.to_png());
    assert_eq!((width, height), (600, 400));
    assert!(!fig.to_svg().contains("NaN"));
    let mut fig = Figure::new(6.0, 2.0);
    fig.subplot(1, 3, 1).heatmap((&none, [0, 3])).annotate(0).colorbar("").imshow((&none, [3, 0, 0]));
    fig.subplot(1, 3, 2).plot_y(&[1e308, -1e308, 5e-324]).fill_between(&[0, 1], &[-1e308, 0.0], &[1e308, 1e300]);
    fig.subplot(1, 3, 3).plot_y(&[1e308, 5e-324]).yscale(Scale::Log).twinx().plot_y(&[1e-300, 1e-300]);
    decode(&fig.to_png());
    decode(&Figure::new(1.0, 1.0).to_png());
    decode(&training_curves(&[], &[]).to_png());
    decode(&training_curves(&[("one epoch", &[0.5])], &[]).to_png());
}

#[test]
fn crowded_figures_are_drawn() {
    let mut fig = Figure::new(2.0, 2.0);
    for i in 1..=36 {
        fig.subplot(6, 6, i).plot_y(&[1e12, -1e12]).title("a long title").xlabel("x").ylabel("y").grid(true);
    }
    let (width, height, _) = decode(&fig.to_png());
    assert_eq!((width, height), (200, 200));
}

#[test]
fn saving_replaces_the_file_whole() {
    let directory = std::env::temp_dir().join(format!("cresset-viz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut fig = Figure::new(2.0, 2.0);
    fig.subplot(1, 1, 1).plot_y(&[1.0, 2.0]);
    for name in ["a.png", "a.svg", "a.PNG"] {
        std::fs::write(directory.join(name), "old").unwrap();
        fig.save(directory.join(name)).unwrap();
    }
    assert_eq!(decode(&std::fs::read(directory.join("a.png")).unwrap()).0, 200);
    let left = std::fs::read_dir(&directory).unwrap().count();
    let gif = fig.save(directory.join("a.gif")).unwrap_err().to_string();
    let missing = fig.save(directory.join("no/such/a.png")).unwrap_err().to_string();
    let font = fig.font(directory.join("no.ttf")).err().unwrap().to_string();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!((2..=3).contains(&left), "temporary files were left");
    assert!(gif.ends_with("a.gif: a figure is saved as .png or .svg"), "{gif}");
    assert!(missing.contains("a.png: cannot write the figure: "), "{missing}");
    assert!(font.contains("no.ttf: cannot read the font: "), "{font}");
}

#[test]
fn heat_maps_show_their_colours_and_numbers() {
    let mut fig = Figure::new(4.0, 4.0);
    fig.subplot(1, 1, 1).heatmap((&[0, 1, 2, 3_i64], [2, 2])).cmap("gray").annotate(1);
    let (_, _, pixels) = decode(&fig.to_png());
    for shade in [0, 85, 170, 255] {
        assert!(count(&pixels, |p| p == [shade; 3]) > 5000, "{shade}");
    }
    let svg = fig.to_svg();
    assert!(svg.contains("<image") && svg.contains("2.0"));
    // Seen in part, it is drawn cell by cell.
    fig.subplot(1, 1, 1).xlim(-0.5, 0.5);
    assert!(!fig.to_svg().contains("<image"));
}

#[test]
fn images_keep_their_channels() {
    // Red, green and blue of a [3, 1, 1] image.
    let mut fig = Figure::new(2.0, 2.0);
    fig.subplot(1, 1, 1).imshow((&[1.0, 0.0, 0.5_f32], [3, 1, 1])).axis_off();
    let (_, _, pixels) = decode(&fig.to_png());
    assert!(count(&pixels, |p| p == [255, 0, 128]) > 10_000);
    let mut fig = Figure::new(2.0, 2.0);
    fig.subplot(1, 1, 1).imshow((&[0.0, 1.0, 0.0, 0.0, 0.0, 1.0], [2, 1, 3])).equal_aspect(false).axis_off();
    let (_, _, pixels) = decode(&fig.to_png());
    assert!(count(&pixels, |p| p == [0, 255, 0]) > 5000 && count(&pixels, |p| p == [0, 0, 255]) > 5000);
    let titles = ["a", "b", "c"];
    let svg = image_grid((&vec![0.25_f32; 3 * 3 * 4], [3, 3, 2, 2]), 2, &titles).to_svg();
    assert_eq!(svg.matches("<image").count(), 3);
}

#[test]
fn confusion_matrices() {
    let fig = confusion_matrix(&[3, 1, 0, 4_usize], &["猫", "dog"]);
    let svg = fig.to_svg();
    assert!(["猫", "dog", "predicted", "true"].iter().all(|t| svg.contains(t)));
    let text = confusion_text(&[3, 1, 0, 0_usize], &["猫", "dog"]);
    assert_eq!(
        text,
        "true \\ predicted  猫  dog  recall\n猫                 3    1  0.7500\ndog                0    0       -\n"
    );
}

#[test]
#[should_panic(expected = "plot: x and y must have same first dimension, but have shapes (2,) and (3,)")]
fn lengths_that_differ_panic() {
    Figure::new(1.0, 1.0).subplot(1, 1, 1).plot(&[1.0, 2.0], &[1.0, 2.0, 3.0]);
}

#[test]
#[should_panic(expected = "'rde' is not a valid value for color")]
fn unknown_colours_panic() {
    Figure::new(1.0, 1.0).subplot(1, 1, 1).plot_y(&[1.0]).color("rde");
}

#[test]
#[should_panic(expected = "label: nothing has been drawn on these axes yet")]
fn styling_nothing_panics() {
    Figure::new(1.0, 1.0).subplot(1, 1, 1).label("a");
}

#[test]
fn tensors_and_parameters_are_data() {
    let x = Tensor::linspace(-3, 3, 7);
    let weight = Parameter::new(x.relu().view([1, 7]));
    let drawn = |f: &dyn Fn(&mut Axes)| {
        let mut fig = Figure::new(4.0, 3.0);
        f(fig.subplot(1, 1, 1));
        fig.to_svg()
    };
    let (xs, ys) = ([-3, -2, -1, 0, 1, 2, 3], [0, 0, 0, 0, 1, 2, 3]);
    assert_eq!(drawn(&|ax| _ = ax.plot(&x, &weight)), drawn(&|ax| _ = ax.plot(&xs, &ys)));
    // A view is read in its own order, whatever lies in memory, and half precision becomes numbers too.
    let matrix = Tensor::arange(6).view([2, 3]).t().to_dtype(DType::F16);
    let same = drawn(&|ax| _ = ax.heatmap(&[[0, 3], [1, 4], [2, 5]]).annotate(0));
    assert_eq!(drawn(&|ax| _ = ax.heatmap(&matrix).annotate(0)), same);
    assert_eq!(drawn(&|ax| _ = ax.heatmap(&vec![vec![0, 3], vec![1, 4], vec![2, 5]]).annotate(0)), same);
    assert_eq!(drawn(&|ax| _ = ax.heatmap((&matrix.flatten(0, -1), [3, 2])).annotate(0)), same);
    assert_eq!(histogram(&x, 3).counts, [2, 2, 3]);
    let refused = cresset_tensor::attempt(|| _ = Figure::new(1.0, 1.0).subplot(1, 1, 1).heatmap(&x));
    assert!(refused.unwrap_err().to_string().contains("expected a matrix, but got 1 dimensions"));
}
