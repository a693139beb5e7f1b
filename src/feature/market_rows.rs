//! Rows about the market of a SKU: stock, prices, pace of sales and who buys.

use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureUnit;
use crate::feature::entity_rows::{Writer, shape};
use crate::feature::row::{EntityRead, SalesRead};
use crate::feature::words;
use crate::graph::history::Window;

impl Writer<'_> {
    /// Stock, prices and sales of a SKU.
    pub(super) fn market(&mut self) {
        self.prices();
        self.sales();
    }

    fn prices(&mut self) {
        let ratio = FeatureUnit::Ratio;
        let rows = [
            ("stock_units", EntityRead::Stock, FeatureUnit::Count, "units in stock", "库存件数"),
            (
                "price_index",
                EntityRead::PriceIndex,
                ratio,
                "market price against its usual level",
                "市场价与常态价之比",
            ),
            (
                "price_volatility_7d",
                EntityRead::PriceVolatility,
                FeatureUnit::PercentPerDay,
                "how much the market price has lately moved",
                "市场价近期波动指数",
            ),
            (
                "market_to_paid",
                EntityRead::MarketToPaid,
                ratio,
                "market price against the price paid",
                "市场价与成交价之比",
            ),
            (
                "paid_to_mean",
                EntityRead::PaidToMean,
                ratio,
                "price paid against the mean price so far",
                "成交价与历史均价之比",
            ),
        ];
        for (id, read, unit, en, zh) in rows {
            self.add(id, read, &shape(unit), (en.into(), zh.into()));
        }
    }

    fn sales(&mut self) {
        let has_regions = self.has(EntityKind::Region);
        if has_regions {
            for window in [Window::Hour, Window::Day, Window::Week] {
                let w = words::window(window);
                self.add(
                    &format!("region_units_sum_{}", w.id),
                    EntityRead::Sales(SalesRead::Units(window)),
                    &shape(FeatureUnit::Count),
                    (
                        format!("pieces sold in this region {}", w.en),
                        format!("该商品在本地区{}销售件数", w.zh),
                    ),
                );
            }
        }
        self.add(
            "stock_cover_days",
            EntityRead::Sales(SalesRead::StockCover),
            &shape(FeatureUnit::Days),
            (
                "how long the stock lasts at the pace of the last 7 days".into(),
                "按近 7 天销售速度库存还可支撑的时间".into(),
            ),
        );
        if self.has(EntityKind::Account) {
            let (en, zh) = if has_regions { (" in this region", "在本地区") } else { ("", "") };
            self.add(
                "top_rings_share_7d",
                EntityRead::Sales(SalesRead::TopRingsShare),
                &shape(FeatureUnit::Share),
                (
                    format!(
                        "share of the pieces sold{en} in the last 7 days that went to the three \
                         largest rings of linked accounts"
                    ),
                    format!("该商品{zh}近 7 天售出件数中流向前三大关联账号群的占比"),
                ),
            );
        }
    }
}
