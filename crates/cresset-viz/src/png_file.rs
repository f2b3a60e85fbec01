//! A scene as PNG: drawn large through plotters' bitmap backend, then averaged down, which smooths every edge alike.

use plotters_backend::{BackendColor, DrawingBackend, DrawingErrorKind};
use plotters_bitmap::BitMapBackend;

use crate::color::Color;
use crate::font::Fonts;
use crate::scene::{Anchor, Rect, Scene, Shape};

type Drawn = Result<(), DrawingErrorKind<<BitMapBackend<'static> as DrawingBackend>::ErrorType>>;

/// The bytes of a PNG file.
pub(crate) fn write(scene: &Scene, fonts: &Fonts, dpi: f64) -> Vec<u8> {
    let pixels = render(scene, fonts);
    encode(scene.width, scene.height, &pixels, (dpi / 0.0254).round() as u32)
}

/// RGB rows as a PNG file; `per_metre` 0 leaves the physical size open.
pub(crate) fn encode(width: u32, height: u32, rgb: &[u8], per_metre: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if per_metre > 0 {
        encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    }
    let mut writer = encoder.write_header().expect("a vector takes every write");
    writer.write_image_data(rgb).expect("the pixels fill the image exactly");
    writer.finish().expect("a vector takes every write");
    bytes
}

/// The scene in RGB rows.
fn render(scene: &Scene, fonts: &Fonts) -> Vec<u8> {
    let area = f64::from(scene.width) * f64::from(scene.height);
    // Sixteen samples a pixel for small figures, fewer where the picture would take more than about 60 MB.
    let over = [4, 3, 2].into_iter().find(|o| area * f64::from(o * o) * 3.0 < 60e6).unwrap_or(1);
    let (width, height) = (scene.width * over, scene.height * over);
    let mut large = vec![255; (width * height * 3) as usize];
    for shape in &scene.shapes {
        // Drawing into memory cannot fail.
        let _ = draw(&mut large, (width, height), shape, f64::from(over), fonts);
    }
    shrink(&large, scene.width as usize, scene.height as usize, over as usize)
}

fn shrink(large: &[u8], width: usize, height: usize, over: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(width * height * 3);
    let samples = (over * over) as u32;
    for y in 0..height {
        let mut sums = vec![samples / 2; width * 3];
        for row in large[y * over * width * over * 3..].chunks(width * over * 3).take(over) {
            for (sum, block) in sums.chunks_mut(3).zip(row.chunks(over * 3)) {
                for pixel in block.chunks(3) {
                    for (s, &v) in sum.iter_mut().zip(pixel) {
                        *s += u32::from(v);
                    }
                }
            }
        }
        small.extend(sums.iter().map(|s| (s / samples) as u8));
    }
    small
}

fn draw(large: &mut [u8], size: (u32, u32), shape: &Shape, over: f64, fonts: &Fonts) -> Drawn {
    let px = |v: f64| (v * over).round().clamp(-1e6, 1e6) as i32;
    match shape {
        Shape::Line { points, width, color } if color.alpha < 1.0 => {
            // Segments overlap at their joints: the line is drawn opaque on a copy, and the copy laid over the picture.
            let mut copy = large.to_vec();
            let opaque = Color { alpha: 1.0, ..*color };
            line(&mut BitMapBackend::with_buffer(&mut copy, size), points, width * over, paint(opaque), over)?;
            for (under, on_top) in large.iter_mut().zip(copy) {
                let (u, t) = (f64::from(*under), f64::from(on_top));
                *under = (u + (t - u) * color.alpha).round() as u8;
            }
            return Ok(());
        }
        Shape::Image { area, columns, rows, pixels } => {
            let clip = Rect::new(0.0, 0.0, f64::from(size.0), f64::from(size.1));
            let all = Rect::new(area.x0 * over, area.y0 * over, area.x1 * over, area.y1 * over);
            let seen = all.intersect(&clip);
            for y in seen.y0.round() as usize..seen.y1.round() as usize {
                let row = ((y as f64 + 0.5 - all.y0) / all.height() * *rows as f64) as usize;
                for x in seen.x0.round() as usize..seen.x1.round() as usize {
                    let column = ((x as f64 + 0.5 - all.x0) / all.width() * *columns as f64) as usize;
                    let from = 3 * (row.min(rows - 1) * columns + column.min(columns - 1));
                    let to = 3 * (y * size.0 as usize + x);
                    large[to..to + 3].copy_from_slice(&pixels[from..from + 3]);
                }
            }
            return Ok(());
        }
        _ => {}
    }
    let mut backend = BitMapBackend::with_buffer(large, size);
    match shape {
        Shape::Rect { area, color } => {
            backend.draw_rect((px(area.x0), px(area.y0)), (px(area.x1), px(area.y1)), &paint(*color), true)
        }
        Shape::Line { points, width, color } => line(&mut backend, points, width * over, paint(*color), over),
        Shape::Polygon { points, color } => {
            let points: Vec<_> = points.iter().map(|&(x, y)| (px(x), px(y))).collect();
            backend.fill_polygon(points, &paint(*color))
        }
        Shape::Circle { center, radius, color } => {
            disc(&mut backend, center.0 * over, center.1 * over, radius * over, paint(*color))
        }
        Shape::Text { at, text, size, anchor, upright, color } => {
            let size = size * over;
            let width = fonts.width(text, size);
            let start = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => -width / 2.0,
                Anchor::End => -width,
            };
            let (x, y) = (px(at.0), px(at.1));
            let ink = paint(*color);
            fonts.draw(text, size, start, 0.0, &mut |dx, dy, cover| {
                let to = if *upright { (x + dy, y - dx) } else { (x + dx, y + dy) };
                let cover = f64::from(cover.min(1.0)) * ink.alpha;
                let _ = backend.draw_pixel(to, BackendColor { alpha: cover, ..ink });
            });
            Ok(())
        }
        Shape::Image { .. } => Ok(()),
    }
}

fn paint(color: Color) -> BackendColor {
    let [r, g, b] = color.rgb;
    BackendColor { alpha: color.alpha, rgb: (r, g, b) }
}

/// Each segment is a polygon of its own and each joint a disc. The backend's own wide paths are one polygon for the whole
/// line, filled by the even-odd rule, which leaves holes where a line comes back over itself.
fn line(backend: &mut BitMapBackend<'_>, points: &[(f64, f64)], width: f64, ink: BackendColor, over: f64) -> Drawn {
    // A filled polygon takes in the samples on its outline: half a sample on each side.
    let half = ((width - 1.0) / 2.0).max(0.0);
    let round = |v: f64| v.round().clamp(-1e6, 1e6) as i32;
    for (i, pair) in points.windows(2).enumerate() {
        let [(x0, y0), (x1, y1)] = [(pair[0].0 * over, pair[0].1 * over), (pair[1].0 * over, pair[1].1 * over)];
        let length = (x1 - x0).hypot(y1 - y0);
        if i > 0 {
            disc(backend, x0, y0, half, ink)?;
        }
        if length == 0.0 {
            continue;
        }
        let (nx, ny) = ((y1 - y0) / length * half, (x0 - x1) / length * half);
        let corners = [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)];
        backend.fill_polygon(corners.map(|(x, y)| (round(x), round(y))), &ink)?;
    }
    Ok(())
}

/// A filled disc in rows; each pixel is painted once, so that a translucent one is even.
fn disc(backend: &mut BitMapBackend<'_>, x: f64, y: f64, radius: f64, ink: BackendColor) -> Drawn {
    for row in (y - radius).ceil() as i32..=(y + radius).floor() as i32 {
        let half = (radius * radius - (f64::from(row) - y).powi(2)).max(0.0).sqrt();
        let (from, to) = ((x - half).ceil() as i32, (x + half).floor() as i32);
        if from <= to {
            backend.draw_rect((from, row), (to + 1, row + 1), &ink, true)?;
        }
    }
    Ok(())
}
